package dev.freshet.api;

/** Thrown by a step that will not do what the caller asks; the caller gets the problem as it stands. */
public class Refused extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient Problem problem;

    public Refused(Problem problem) {
        // the caller's mistake, not ours: nobody reads its stack trace
        super(problem.detail(), null, false, false);
        this.problem = problem;
    }

    public Refused(int status, String detail) {
        this(Problem.of(status, detail));
    }

    public Problem problem() {
        return problem;
    }
}
