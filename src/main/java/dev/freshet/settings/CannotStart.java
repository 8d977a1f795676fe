package dev.freshet.settings;

/** A reason not to start that the operator can fix: shown on one line, without a stack trace. */
public final class CannotStart extends RuntimeException {
    public static final int BAD_SETTING = 2;
    public static final int PORT_TAKEN = 1;

    private final int exitCode;

    public CannotStart(String message) {
        this(BAD_SETTING, message);
    }

    public CannotStart(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    public int exitCode() {
        return exitCode;
    }

    /** The refusal among the causes, or null. */
    public static CannotStart in(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof CannotStart refusal) {
                return refusal;
            }
        }
        return null;
    }
}
