package dev.freshet.deliver.provider;

/** Reports what looks like a refusal but is temporary: the same call may succeed later. */
public final class TryLater extends Exception {
    private static final long serialVersionUID = 1;

    public TryLater(String message) {
        super(message);
    }
}
