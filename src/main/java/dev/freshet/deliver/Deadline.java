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
 * Calls to targets: one attempt is one request (no retries, redirects or cookies of the client's own), and it ends in
 * time whatever the target does. The client's time-outs only see silence; a target that drips its answer byte by byte
 * would hold a call for ever.
 */
public final class Deadline implements HttpClientConfigurer, ExecChainHandler, AutoCloseable {
    private static final int LONGEST_ANSWER = 64 * 1024;
    private static final long LONGEST_GLANCE_MILLIS = 50;

    private final Duration timeout;
    private final long glanceMillis;
    private final Set<UnderWay> underWay = ConcurrentHashMap.newKeySet();
    /** Whether the next glance is planned. Where nothing is under way none is: an instance at rest costs nothing. */
    private final AtomicBoolean glances = new AtomicBoolean();

    private final ScheduledExecutorService timer;

    /** A call under way; a look at all of them now and then costs less than an alarm for each. */
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
        // a call that begins while Freshet stops is told nothing: it ends with the process
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
            if (!underWay.isEmpty()) { // asked after it was set: what has begun meanwhile is seen here, or plans itself
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
