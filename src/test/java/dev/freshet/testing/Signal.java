package dev.freshet.testing;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Signals that Java cannot send to a process by itself. */
public enum Signal {
    STOP,
    CONT,
    QUIT,
    KILL;

    /** Ignores processes that have already ended. */
    public void to(List<Long> processes) {
        List<String> command = new ArrayList<>(List.of("kill", "-" + name()));
        processes.forEach(process -> command.add(Long.toString(process)));
        try {
            new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    public void to(long process) {
        to(List.of(process));
    }
}
