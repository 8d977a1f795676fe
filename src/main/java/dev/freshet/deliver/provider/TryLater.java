package dev.freshet.deliver.provider;

/** What reads like a refusal, and is none: the same call may succeed later. */
public final class TryLater extends Exception {
    private static final long serialVersionUID = 1;

    public TryLater(String message) {
        super(message);
    }
}
