package dev.freshet.database;

import dev.freshet.settings.CannotStart;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Ensures one Freshet per data folder. The operating system releases the lock however the process ends. */
final class FolderLock implements AutoCloseable {
    /** Beyond the text, so that others can read which process it is (locks are mandatory on Windows). */
    private static final long LOCKED_BYTE = 1_000;

    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    static FolderLock take(Path folder) {
        Path file = folder.resolve("freshet.lock");
        FileChannel channel;
        try {
            Files.createDirectories(folder);
            channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new CannotStart(
                    "FRESHET_DATA_DIR is \"" + folder + "\": not a folder that this user can write to; set it to one");
        }
        try {
            FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
            if (lock != null) {
                channel.truncate(0);
                channel.write(
                        ByteBuffer.wrap(
                                Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)),
                        0);
                return new FolderLock(folder, channel);
            }
        } catch (IOException | OverlappingFileLockException e) {
            // reported below
        }
        String holder = readQuietly(file);
        closeQuietly(channel);
        throw new CannotStart("FRESHET_DATA_DIR is \"" + folder + "\": another Freshet"
                + (holder.isEmpty() ? "" : " (process " + holder + ")")
                + " is using that folder; stop it, or set FRESHET_DATA_DIR to another one");
    }

    Path folder() {
        return folder;
    }

    @Override
    public void close() {
        closeQuietly(channel);
    }

    private static String readQuietly(Path file) {
        try {
            return Files.readString(file).trim();
        } catch (IOException e) {
            return "";
        }
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // the lock goes with the process
        }
    }
}
