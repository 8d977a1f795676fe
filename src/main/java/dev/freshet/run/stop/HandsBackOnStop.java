package dev.freshet.run.stop;

/**
 * Work that a stage holds in memory and hands back to the database when Freshet stops. A bean of this type is called
 * after the last route has stopped (or was cut off after 12 s) and before the connection pool closes.
 */
public interface HandsBackOnStop {
    void handBack() throws Exception;
}
