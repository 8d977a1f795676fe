package dev.freshet.deliver.provider;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.deliver.Call;
import java.util.List;
import java.util.stream.Collectors;

/** What templates write into a call: its tags, as the provider spells them. */
public final class Spellings {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** @param all the tags as the provider spells them; in a text they appear as a JSON array */
    public record Tags(List<String> all) {
        /**
         * @throws IllegalStateException if there is more than one tag: the others would be recorded as delivered
         *     nonetheless
         */
        public String getOnly() {
            if (all.size() != 1) {
                throw new IllegalStateException("the call has " + all.size() + " tags and room for one: write batch 1");
            }
            return all.get(0);
        }

        /** For JSON that contains one tag. */
        public String getOnlyAsJson() {
            return json(getOnly());
        }

        public String joined(String between) {
            return String.join(between, all);
        }

        /** The tags, each with this prefix. */
        public Tags after(String prefix) {
            return new Tags(all.stream().map(tag -> prefix + tag).toList());
        }

        /**
         * A regular expression that matches any of the tags in a comma-separated list; characters with a special
         * meaning are put in brackets.
         */
        public String getPattern() {
            return all.stream()
                    .map(tag -> tag.replaceAll("[.+*?^$()|{}]", "[$0]"))
                    .collect(Collectors.joining("|", "(^|,)(", ")(,|$)"));
        }

        public String asXml(String element) {
            return all.stream()
                    .map(tag -> "<" + element + ">"
                            + tag.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + "</" + element
                            + ">")
                    .collect(Collectors.joining());
        }

        @Override
        public String toString() {
            return json(all);
        }
    }

    public Tags spell(String provider, Call call) {
        Spelling spelling = Spelling.of(provider);
        return new Tags(call.getTags().stream().map(spelling::spell).toList());
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
