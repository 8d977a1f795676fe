package dev.freshet.settings;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code 500ms}, {@code 5s}, {@code 1m}, {@code 1h}, {@code 90d}; a number without a unit is in seconds. */
public final class Durations {
    private static final Pattern FORM =
            Pattern.compile("(?<number>\\d{1,12}(?:\\.\\d{1,9})?) ?(?<unit>ms|s|m|min|h|d)?");

    public static Duration parse(String text) {
        Matcher form = FORM.matcher(text.trim());
        if (!form.matches()) {
            throw new IllegalArgumentException(
                    "not a duration; write a number and a unit, such as 500ms, 5s, 10m, 1h or 2d "
                            + "(a bare number is seconds)");
        }
        String unit = form.group("unit") == null ? "s" : form.group("unit");
        long millis = switch (unit) {
            case "ms" -> 1;
            case "s" -> 1_000;
            case "m", "min" -> 60_000;
            case "h" -> 3_600_000;
            default -> 86_400_000;
        };
        BigDecimal value = new BigDecimal(form.group("number"))
                .multiply(BigDecimal.valueOf(millis))
                .setScale(0, RoundingMode.CEILING);
        if (value.precision() > 15) {
            throw new IllegalArgumentException("longer than any clock runs; write fewer digits");
        }
        return Duration.ofMillis(value.longValueExact());
    }

    /** As people write it: 1, 0.5, 120. */
    public static String seconds(Duration duration) {
        return BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString();
    }

    private Durations() {}
}
