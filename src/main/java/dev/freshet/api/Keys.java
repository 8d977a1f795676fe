package dev.freshet.api;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** The configured API keys, kept as digests, and what each of them permits. */
public final class Keys {

    public enum Right {
        /** INTERNAL_API_KEY, SUPABASE_SERVICE_ROLE_KEY: everything. */
        FULL,
        /** FRESHET_READ_KEY: reading. */
        READ,
        /** FRESHET_LIVE_KEY: reading /live. */
        LIVE,
        /** SUPABASE_ANON_KEY: the manual run of the queue, without force. */
        RUN,
        /** Freshet's own, for its calls to the demo's receiver. */
        DEMO
    }

    private record Lock(Right right, boolean configured, byte[] digest) {}

    private final List<Lock> locks = new ArrayList<>();

    public Keys(String internal, String serviceRole, String read, String live, String anon) {
        this(internal, serviceRole, read, live, anon, null);
    }

    /** A null or blank key counts as not configured. */
    public Keys(String internal, String serviceRole, String read, String live, String anon, String demo) {
        locks.add(lock(Right.FULL, internal));
        locks.add(lock(Right.FULL, serviceRole));
        locks.add(lock(Right.READ, read));
        locks.add(lock(Right.LIVE, live));
        locks.add(lock(Right.RUN, anon));
        locks.add(lock(Right.DEMO, demo));
    }

    /**
     * No key is configured that all of the API is closed by: Freshet then answers its own machine only, and a lesser
     * key protects what it is for. A key for reading closes everything, and so changes too: without a key they would be
     * open to those who may not even read.
     */
    public boolean areMissing() {
        return !isConfigured(Right.FULL) && !isConfigured(Right.READ);
    }

    public boolean isConfigured(Right right) {
        return locks.stream().anyMatch(lock -> lock.right() == right && lock.configured());
    }

    /** The rights that these credentials grant; empty if none of them is known. */
    public Set<Right> opens(Collection<byte[]> credentials) {
        Set<Right> rights = EnumSet.noneOf(Right.class);
        for (byte[] credential : credentials) {
            byte[] digest = sha256(credential);
            for (Lock lock : locks) {
                // no early exit: the time taken must not reveal which key came close
                if (MessageDigest.isEqual(lock.digest(), digest) & lock.configured()) {
                    rights.add(lock.right());
                }
            }
        }
        return rights;
    }

    private static Lock lock(Right right, String key) {
        boolean configured = key != null && !key.isBlank();
        byte[] secret = configured ? key.strip().getBytes(StandardCharsets.UTF_8) : new SecureRandom().generateSeed(32);
        return new Lock(right, configured, sha256(secret));
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
