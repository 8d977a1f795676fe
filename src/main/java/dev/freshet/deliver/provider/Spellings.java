package dev.freshet.deliver.provider;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.deliver.Call;
import java.util.List;
import java.util.stream.Collectors;

/** What templates write into a call: its tags, as their provider spells them. */
public final class Spellings {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** @param all as they are spelled; where it stands in a text, they stand there as JSON */
    public record Tags(List<String> all) {
        /** @throws IllegalStateException rather than leave a tag out: its outcome would be "delivered" all the same */
        public String getOnly() {
            if (all.size() != 1) {
                throw new IllegalStateException("the call has " + all.size() + " tags and room for one: write batch 1");
            }
            return all.get(0);
        }

        /** For JSON that has one tag in it. */
        public String getOnlyAsJson() {
            return json(getOnly());
        }

        public String joined(String between) {
            return String.join(between, all);
        }

        /** Each with something in front of it. */
        public Tags after(String prefix) {
            return new Tags(all.stream().map(tag -> prefix + tag).toList());
        }

        /** Matches any of them in a list with commas; what means something in a regular expression is in brackets. */
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
