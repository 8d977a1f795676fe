package dev.freshet.deliver;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecChainHandler;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;

/**
 * Makes each attempt of a call exactly one request (the client adds no retries, redirects or cookies), which ends in
 * time whatever the target does. The client's own time-outs detect only silence: a target that sends its answer byte by
 * byte would hold a call forever.
 */
public final class Deadline implements HttpClientConfigurer, ExecChainHandler, AutoCloseable {
    private static final int LONGEST_ANSWER = 64 * 1024;
    private static final long LONGEST_GLANCE_MILLIS = 50;

    private final Duration timeout;
    private final long glanceMillis;
    private final Set<UnderWay> underWay = ConcurrentHashMap.newKeySet();
    /** Whether the next glance is planned. Without calls under way, none is: an idle instance costs nothing. */
    private final AtomicBoolean glances = new AtomicBoolean();

    private final ScheduledExecutorService timer;

    /** A call under way. A glance at all of them from time to time costs less than a timer for each. */
    private static final class UnderWay {
        private final ExecChain.Scope scope;
        private final long end;
        private volatile boolean isOver;

        private UnderWay(ExecChain.Scope scope, long end) {
            this.scope = scope;
            this.end = end;
        }
    }

    public Deadline(Duration timeout) {
        this.timeout = timeout;
        // DiscardPolicy: a call that begins while Freshet stops needs no deadline, because it ends with the process
        this.timer = new ScheduledThreadPoolExecutor(1, Deadline::daemon, new ThreadPoolExecutor.DiscardPolicy());
        this.glanceMillis = Math.max(1, Math.min(LONGEST_GLANCE_MILLIS, timeout.toMillis() / 10));
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "target-deadline");
        thread.setDaemon(true);
        return thread;
    }

    private void planGlance() {
        if (!glances.get() && glances.compareAndSet(false, true)) {
            timer.schedule(this::glance, glanceMillis, TimeUnit.MILLISECONDS);
        }
    }

    private void glance() {
        try {
            endWhatIsOver();
        } finally {
            glances.set(false);
            // checked after the flag is cleared: a call that began meanwhile is seen here, or plans a glance itself
            if (!underWay.isEmpty()) {
                planGlance();
            }
        }
    }

    private void endWhatIsOver() {
        long now = System.nanoTime();
        for (UnderWay call : underWay) {
            if (now - call.end >= 0) {
                call.isOver = true;
                call.scope.execRuntime.discardEndpoint();
            }
        }
    }

    @Override
    public void configureHttpClient(HttpClientBuilder builder) {
        builder.disableAutomaticRetries()
                .disableRedirectHandling()
                .disableCookieManagement()
                .disableAuthCaching()
                .disableContentCompression()
                .setRoutePlanner(new PinnedRoutes())
                .addExecInterceptorFirst("as-written", new RequestAsWritten())
                .addExecInterceptorFirst("deadline", this);
    }

    @Override
    public ClassicHttpResponse execute(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        UnderWay call = new UnderWay(scope, System.nanoTime() + timeout.toNanos());
        underWay.add(call);
        planGlance();
        try {
            ClassicHttpResponse response = chain.proceed(request, scope);
            readWhatMatters(response);
            return response;
        } catch (IOException | RuntimeException e) {
            if (call.isOver) {
                throw new IOException("no answer within " + timeout.toMillis() + " ms");
            }
            throw e;
        } finally {
            underWay.remove(call);
        }
    }

    private static void readWhatMatters(ClassicHttpResponse response) throws IOException {
        HttpEntity entity = response.getEntity();
        if (entity == null) {
            return;
        }
        byte[] read;
        try (InputStream body = entity.getContent()) {
            read = body.readNBytes(LONGEST_ANSWER);
        }
        response.setEntity(new ByteArrayEntity(read, ContentType.parseLenient(entity.getContentType())));
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
