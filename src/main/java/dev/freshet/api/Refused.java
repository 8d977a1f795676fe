package dev.freshet.api;

/** Thrown by a step that will not do what the caller asks; the caller receives the problem unchanged. */
public class Refused extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient Problem problem;

    public Refused(Problem problem) {
        // the caller's mistake, not ours: no one reads its stack trace
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
