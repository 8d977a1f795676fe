package dev.freshet.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Browser;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The console as people use it, in a real browser. */
class ConsoleIT {
    private static final String HOSTILE = "<img src=x onerror=\"window.pwned=1\">";
    /** Each view, and what it shows when there is nothing. */
    private static final Map<String, String> EMPTY = new LinkedHashMap<>();

    static {
        EMPTY.put("overview", "Everything is fresh");
        EMPTY.put("jobs", "No job has run yet.");
        EMPTY.put("letters", "Nothing was given up.");
        EMPTY.put("audit&tag=nothing", "Nothing in the audit matches.");
        EMPTY.put("routes", "routes/queue.camel.yaml");
        EMPTY.put("dry-run", "What would an invalidation hit?");
        EMPTY.put("fences", "No token waits");
    }

    private static Browser browser;
    private static Scene scene;
    private static JobFunctions functions;
    private static FreshetProcess freshet;

    @BeforeAll
    static void open() throws Exception {
        browser = Browser.open();
        // a call that is held by a test must last as long as the test looks at the page
        scene = new Scene("FRESHET_TARGET_TIMEOUT=40s", "FRESHET_LEASE=120s");
        functions = new JobFunctions(scene.database::connect);
        freshet = scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        if (browser != null) {
            browser.close();
        }
        if (scene != null) {
            scene.close();
        }
    }

    @BeforeEach
    void resetScene() throws Exception {
        functions.openTheGate();
        Scene.until(
                "no job is open",
                () -> scene.isTrue("SELECT NOT EXISTS (SELECT FROM background_job_status WHERE status IN ('queued',"
                        + " 'processing'))"));
        scene.receiver.everybody(null);
        scene.database.run(
                "DELETE FROM background_job_status; DELETE FROM freshet.job_function; DELETE FROM freshet.job_request;"
                        + " DELETE FROM freshet.dead_letter; DELETE FROM freshet.delivery; DELETE FROM"
                        + " public.cache_invalidation_queue;"
                        + " UPDATE freshet.target SET failing_tags = '{}', open_until ="
                        + " NULL, opened_at = NULL");
        functions.reset();
        browser.size(1280, 900, false);
        browser.go("about:blank#" + System.nanoTime());
        browser.forget();
    }

    @AfterEach
    void assertNoProblemsAndNoForeignRequests() {
        assertEquals(List.of(), browser.problems());
        assertEquals(
                List.of(),
                browser.requests().stream()
                        .filter(url -> !url.startsWith(freshet.url() + "/") && !url.startsWith("about:"))
                        .toList());
        assertFalse(browser.is("window.pwned"));
    }

    @Test
    void every_view_says_when_there_is_nothing() throws Exception {
        for (Map.Entry<String, String> view : EMPTY.entrySet()) {
            show(view.getKey());
            browser.untilShown(view.getValue());
            assertGood(view.getKey().replaceFirst("&.*", "") + "-empty");
        }
        browser.until("document.title.startsWith('Fresh · ')");
    }

    @Test
    void illegible_text_would_be_detected() throws Exception {
        show("overview");
        browser.untilShown("Everything is fresh");
        browser.js("const faint = document.createElement('p'); faint.textContent = 'faint'; faint.style.color = '#ddd';"
                + " document.querySelector('main').append(faint)");
        assertTrue(browser.findings().toString().contains("color-contrast"), "axe-core looks at the page");
    }

    @Test
    void every_view_shows_its_content_and_a_hostile_tag_as_text() throws Exception {
        giveUp(404, HOSTILE, "page:1");
        scene.receiver.everybody(Receiver.status(503));
        scene.change("page:retried");
        failAJob();
        Scene.until(
                "it is retrying",
                () -> scene.isTrue("SELECT EXISTS (SELECT FROM freshet.delivery WHERE attempts > 0)"));
        show("overview");
        browser.untilShown("Something is stale");
        browser.untilShown(HOSTILE);
        browser.untilShown("1 stats job failed within a day");
        browser.untilShown("wait for another try".replace("wait", "waits"));
        assertGood("overview");
        show("jobs");
        browser.until("document.querySelector('.job.failed')");
        browser.click(".job.failed summary");
        browser.untilShown("update_power_ratings");
        assertGood("jobs");
        show("letters");
        browser.untilShown(HOSTILE);
        browser.untilShown("2 deliveries were given up");
        assertGood("letters");
        show("dry-run&pattern=page:*");
        browser.untilShown("2 known tags");
        assertGood("dry-run");
        show("dry-run&pattern=" + java.net.URLEncoder.encode(HOSTILE, java.nio.charset.StandardCharsets.UTF_8));
        browser.untilShown("given up");
        show("audit");
        browser.untilShown("dead");
        assertGood("audit");
        show("routes");
        browser.untilShown("target-tag");
        assertGood("routes");
        assertEquals(0, browser.js("document.querySelectorAll('img').length").asInt());
    }

    @Test
    void a_job_changes_colour_without_a_reload() throws Exception {
        functions.during(JobFunctions.WAIT_AT_THE_GATE);
        show("jobs");
        browser.untilShown("No job has run yet.");
        browser.js("window.loadedOnce = true");
        browser.js("[...document.querySelectorAll('button')].find(b => b.textContent === 'Run now').click()");
        browser.until("document.querySelector('.job.processing')");
        browser.until("document.querySelectorAll('.job .progress .processing').length === " + JobFunctions.COUNT);
        String running = colour();
        functions.openTheGate();
        browser.until("document.querySelector('.job.completed')");
        browser.until("document.querySelectorAll('.job .progress .completed').length === " + JobFunctions.COUNT);
        browser.until(
                "getComputedStyle(document.querySelector('.job')).borderLeftColor !== " + Browser.quoted(running));
        assertTrue(browser.is("window.loadedOnce"));
    }

    @Test
    void a_failed_job_is_retried_by_keyboard() throws Exception {
        failAJob();
        show("jobs");
        browser.until("document.querySelector('.job.failed')");
        browser.js("document.querySelector('.skip').focus()");
        browser.tabTo("(element.getAttribute('aria-label') || '').startsWith('Retry job')");
        assertTrue(
                browser.is("getComputedStyle(document.activeElement).outlineStyle !== 'none'"),
                "the focus is to be seen");
        browser.press("Enter");
        browser.untilShown("only the functions that failed run");
        browser.until("document.querySelector('.job.completed')");
    }

    @Test
    void the_views_are_reached_by_keys_which_a_list_shows() {
        show("overview");
        browser.untilShown("Everything is fresh");
        browser.press("2");
        browser.until("location.search === '?view=jobs' &&"
                + " document.querySelector('[aria-current=page]').textContent.startsWith('Jobs')");
        browser.press("3");
        browser.until("location.search === '?view=letters' && document.querySelector('main input[type=search]')");
        browser.press("/");
        browser.until("document.activeElement.name === 'tag'");
        browser.press("2");
        browser.until("document.activeElement.value === '2' && location.search === '?view=letters&tag=2'");
        browser.js("document.activeElement.blur()");
        browser.press("?");
        browser.until("document.querySelector('dialog[open]')");
        browser.press("Escape");
        browser.until("!document.querySelector('dialog')");
        browser.js("history.back()");
        browser.until("location.search === '?view=jobs'");
        browser.until("document.querySelector('main h1').textContent === 'Jobs'");
    }

    @Test
    void dead_letters_are_replayed_by_filter() throws Exception {
        giveUp(404, "gone:1", "gone:2");
        giveUp(410, "moved:1");
        scene.receiver.heal("gone:1");
        scene.receiver.heal("gone:2");
        scene.receiver.heal("moved:1");
        show("letters");
        browser.untilShown("3 deliveries were given up");
        browser.js("document.querySelector('input[name=error]').focus()");
        browser.type("404");
        browser.press("Enter");
        browser.until("location.search.includes('error=404')");
        browser.untilShown("2 deliveries were given up and match");
        int before = scene.receiver.calls("moved:1").size();
        browser.js("[...document.querySelectorAll('button')].find(b => b.textContent === 'Replay all 2 deliveries that"
                + " match').click()");
        browser.until("document.querySelector('dialog[open]')");
        browser.press("Enter");
        browser.untilShown("2 deliveries are owed once more");
        browser.untilShown("No dead letter matches.");
        assertEquals(before, scene.receiver.calls("moved:1").size());
        show("letters");
        browser.untilShown("1 delivery was given up");
        browser.click("[aria-label='Replay moved:1 at tag']");
        browser.untilShown("Nothing was given up.");
    }

    @Test
    void a_typed_filter_narrows_the_list_and_is_never_ignored() throws Exception {
        giveUp(404, "typed:1", "typed:2", "other:1");
        show("letters");
        browser.untilShown("3 deliveries were given up");
        assertEquals("Replay all 3 deliveries", replayAll());
        browser.js("document.querySelector('input[name=tag]').focus()");
        browser.type("typed:1");
        browser.until("location.search === '?view=letters&tag=' + encodeURIComponent('typed:1')");
        browser.untilShown("1 delivery was given up and matches");
        assertEquals("Replay the 1 delivery that matches", replayAll());
        assertTrue(browser.is("document.activeElement.name === 'tag'"), "whoever types goes on typing");
        assertGood("letters-filtered");
        show("letters");
        browser.untilShown("3 deliveries were given up");
        for (String tag : List.of("typed:1", "typed:2", "other:1")) {
            scene.receiver.heal(tag);
        }
        assertEquals("Replay all 3 deliveries", replayAll());
        // in one step, so that nothing can have been applied between typing and clicking
        browser.js("{ const field = document.querySelector('input[name=tag]'); field.value = 'typed:2';"
                + " field.dispatchEvent(new Event('input', {bubbles: true})); document.querySelector('.letters"
                + " button.strong').click(); }");
        browser.until("document.querySelector('dialog[open]')");
        assertEquals(
                "Replay 1 delivery?",
                browser.js("document.querySelector('dialog h2').textContent").asText());
        browser.press("Enter");
        browser.untilShown("One delivery is owed once more");
        Scene.until(
                "it is delivered",
                () -> scene.isTrue("SELECT NOT EXISTS (SELECT FROM freshet.dead_letter WHERE tag = 'typed:2')"));
        assertEquals(
                List.of("other:1", "typed:1"), scene.database.list("SELECT tag FROM freshet.dead_letter ORDER BY tag"));
    }

    @Test
    void a_pattern_of_tags_is_a_filter() throws Exception {
        giveUp(404, "glob:1", "glob:2", "globe");
        for (String tag : List.of("glob:1", "glob:2", "globe")) {
            scene.receiver.heal(tag);
        }
        show("letters");
        browser.untilShown("3 deliveries were given up");
        browser.js("document.querySelector('input[name=tag]').focus()");
        browser.type("glob:*");
        browser.untilShown("2 deliveries were given up and match");
        assertEquals("Replay all 2 deliveries that match", replayAll());
        browser.tabTo("element.textContent.startsWith('Replay all')");
        browser.press("Enter");
        browser.until("document.querySelector('dialog[open]')");
        browser.press("Enter");
        browser.untilShown("2 deliveries are owed once more");
        browser.untilShown("No dead letter matches.");
        show("letters");
        browser.untilShown("1 delivery was given up");
        assertEquals("Replay this 1 delivery", replayAll());
        assertGood("letters-one");
    }

    /** The text of the button. The list does not appear at the same moment as the number of letters. */
    private static String replayAll() {
        browser.until("document.querySelector('.letters button.strong')");
        return browser.js("document.querySelector('.letters button.strong').textContent")
                .asText();
    }

    @Test
    void the_life_of_a_change_is_shown_from_its_commit_to_its_delivery() throws Exception {
        scene.receiver.next("lives", Receiver.status(503), Receiver.status(503));
        scene.changeAndAwait("lives");
        scene.receiver.awaitCalls("lives", 3);
        Scene.until(
                "all of it is in the audit",
                () -> scene.isTrue(
                        "SELECT count(DISTINCT coalesce(outcome, kind)) = 3 FROM invalidation_audit WHERE keys @>"
                                + " '[\"lives\"]'"));
        show("audit&tag=lives");
        browser.untilShown("The change was committed");
        List<String> told = new ArrayList<>();
        browser.js("[...document.querySelectorAll('.life[open] li > span:last-child')].map(e => e.textContent)")
                .forEach(text -> told.add(text.asText()));
        assertEquals(
                List.of(
                        "The change was committed",
                        "A call to tag failed; another followed at once – HTTP 503",
                        "The call to tag failed; it is tried again later – HTTP 503",
                        "Delivered to tag"),
                told.stream()
                        .map(text ->
                                text.replace(", HTTP 503", "").replaceFirst("Delivered to tag.*", "Delivered to tag"))
                        .toList());
        assertGood("audit-life");
        show("audit&outcome=failed");
        browser.untilShown("mended");
        assertGood("audit-failed");
    }

    @Test
    void the_view_of_live_events_shows_who_watches_and_what_was_sent() throws Exception {
        show("live");
        browser.untilShown("Nobody is watching an event now.");
        assertGood("live-empty");
        HttpClient viewer = HttpClient.newHttpClient();
        try (InputStream watching = viewer.send(
                        HttpRequest.newBuilder(URI.create(freshet.url() + "/live/AB3028/stream"))
                                .build(),
                        HttpResponse.BodyHandlers.ofInputStream())
                .body()) {
            browser.untilShown("1 connected");
            scene.database.run("SELECT manual_cache_invalidation('AB3028')");
            show("live&eid=AB3028");
            browser.untilShown("manual_invalidation");
            browser.untilShown("1 viewer now");
            assertGood("live");
            scene.database.run("SELECT manual_cache_invalidation('AB3028', '/live/event/AB3028/bids')");
            browser.untilShown("/live/event/AB3028/bids");
            show("dry-run&pattern=AB*");
            browser.until("[...document.querySelectorAll('a.tag')].some(a => a.textContent === 'AB3028')");
            assertTrue(watching.read() >= 0);
        }
    }

    @Test
    void a_pasted_token_is_explained_in_words_until_it_is_fresh() throws Exception {
        Receiver.Held call = scene.receiver.hold("waits");
        String token = scene.changeWithFence("waits");
        call.awaitBegun();
        show("overview");
        browser.until(
                "[...document.querySelectorAll('.tile')].some(t => /^Waiting tokens1oldest /.test(t.textContent))");
        assertGood("overview-token");
        browser.press("8");
        browser.untilShown("1 token waits; the oldest was asked for");
        browser.untilShown("Is a change on every page?");
        browser.press("/");
        browser.until("document.activeElement.name === 'after'");
        browser.type(" " + token + " ");
        browser.press("Enter");
        browser.until("location.search === '?view=fences&after=" + token + "'");
        browser.untilShown("not yet 1 tag has not reached every target yet.");
        assertGood("fences-not-yet");
        call.release();
        browser.untilShown("out Everything that this transaction changed was delivered to every target.");
        browser.untilShown("No token waits: what was asked about is out, or was given up.");
        assertGood("fences-out");
    }

    @Test
    void a_token_shows_what_was_given_up_and_an_open_or_unknown_transaction() throws Exception {
        scene.receiver.always(HOSTILE, Receiver.status(410));
        show("fences&after=" + scene.changeWithFence(HOSTILE, "delivered"));
        browser.untilShown("given up This was given up; the rest was delivered.");
        browser.untilShown(HOSTILE);
        browser.untilShown("HTTP 410");
        assertGood("fences-given-up");
        scene.receiver.heal(HOSTILE);
        try (Connection application = scene.database.connect()) {
            application.setAutoCommit(false);
            Scene.enqueue(application, "open");
            show("fences&after=" + Scene.fence(application));
            browser.untilShown("not yet Its transaction has not been committed.");
            assertGood("fences-open");
            application.commit();
            browser.untilShown("out Everything that this transaction changed");
            show("fences&after=" + Scene.fence(application));
            browser.untilShown("not yet Its transaction has not been committed.");
            application.rollback();
            browser.untilShown("not known This database issued no such token");
            assertGood("fences-not-known");
        }
        browser.forget(); // Chromium itself logs the 404
    }

    @Test
    void a_broken_route_file_appears_and_disappears() throws Exception {
        Path file = freshet.folder().resolve("routes/queue.camel.yaml");
        String good = Files.readString(file);
        show("routes");
        browser.untilShown("routes/queue.camel.yaml");
        try {
            Files.writeString(file, good.replace("ref: retention", "ref: retentiom"));
            browser.until("document.querySelector('[data-broken]')");
            browser.untilShown("A route file is not in force");
            String told = browser.js("document.querySelector('[data-broken]').textContent")
                    .asText();
            assertTrue(told.matches("routes/queue.camel.yaml:\\d+ .*retentiom.*"), told);
        } finally {
            Files.writeString(file, good);
        }
        browser.until("!document.querySelector('[data-broken]')");
    }

    @Test
    void a_route_is_stopped_and_started_again() {
        show("routes");
        browser.click("[aria-label='Stop target-tag']");
        browser.until("document.querySelector('dialog[open]')");
        browser.press("Enter");
        browser.untilShown("target-tag is stopped");
        browser.until("document.querySelector('[aria-label=\"Start target-tag\"]')");
        browser.until("document.querySelector('[data-verdict=attention]')");
        browser.click("[aria-label='Start target-tag']");
        browser.untilShown("target-tag runs again");
        browser.until("document.querySelector('[data-verdict=fresh]')");
    }

    @Test
    void the_page_says_that_it_is_disconnected_and_recovers_by_itself() throws Exception {
        Scene other = new Scene();
        try {
            FreshetProcess first = other.start();
            other.set("FRESHET_PORT=" + URI.create(first.url()).getPort());
            browser.go(first.url() + "/admin/info");
            browser.untilShown("Everything is fresh");
            first.kill9();
            browser.untilShown("disconnected – retrying");
            other.start();
            browser.until("document.querySelector('.link.live')");
            browser.until("document.querySelector('[data-verdict=fresh]')");
            other.database.cutOff();
            browser.untilShown("Nobody knows: the database does not answer");
            browser.until("document.title.startsWith('Down · ')");
            assertGood("overview-down");
            other.database.letIn();
            browser.until("document.querySelector('[data-verdict=fresh]')");
        } finally {
            browser.go("about:blank#cut-off"); // an open page would send requests to a server that is gone
            other.close();
            browser.forget(); // Chromium itself logs that the connection was refused
        }
    }

    /** A search by a tag considers the newest 200,000 rows, and goes on from there when asked. */
    @Test
    void a_search_of_the_audit_goes_further_back_on_request() throws Exception {
        Scene crowded = new Scene();
        try {
            crowded.database.run("INSERT INTO invalidation_audit (kind, target, keys, triggered_by, outcome, timestamp)"
                    + " SELECT 'delivery', 'tag', jsonb_build_array(CASE n WHEN 200500 THEN 'long ago' ELSE 'x' END),"
                    + " 'queue', 'delivered', now() - make_interval(secs => n * 0.001)"
                    + " FROM generate_series(1, 200500) n");
            browser.go(crowded.start().url() + "/admin/info?view=audit&tag=long+ago");
            browser.untilShown("Nothing matches among the newest rows.");
            assertGood("audit-newest-only");
            browser.js("[...document.querySelectorAll('button')].find(b =>"
                    + " b.textContent === 'Search further back').click()");
            browser.untilShown("The life of long ago");
            browser.until("![...document.querySelectorAll('button')].some(b =>"
                    + " b.textContent === 'Search further back')");
            assertGood("audit-further-back");
        } finally {
            browser.go("about:blank#further-back");
            crowded.close();
            browser.forget();
        }
    }

    @Test
    void an_error_of_the_page_does_not_end_its_stream() throws Exception {
        show("overview");
        browser.js("import('/admin/assets/api.js').then(api => { window.told = []; window.second = api.stream("
                + "event => { told.push(event); throw new Error('cannot draw ' + event); },"
                + " state => { told.push(state); throw new Error('cannot draw ' + state); }); })");
        browser.until("told.includes('overview')");
        scene.change("seen-by-a-broken-page");
        browser.until("told.filter(what => what === 'overview').length > 1");
        browser.js("second.close()");
        assertFalse(browser.is("told.includes('lost')"));
        assertTrue(browser.problems().toString().contains("cannot draw live"), browser.problems()::toString);
        browser.forget();
    }

    @Test
    void a_key_is_asked_for_and_kept_in_the_tab_only_and_its_rights_are_shown() throws Exception {
        Scene keyed = new Scene("INTERNAL_API_KEY=full-key-51b2", "FRESHET_READ_KEY=read-key-90c1");
        try {
            FreshetProcess locked = keyed.start();
            keyed.receiver.next("given-up", Receiver.status(404));
            keyed.change("given-up");
            Scene.until("it was given up", () -> keyed.isTrue("SELECT EXISTS (SELECT FROM freshet.dead_letter)"));
            browser.go(locked.url() + "/admin/info?view=letters");
            browser.untilShown("A key is required");
            assertEquals(List.of(), browser.problems());
            assertEquals(List.of(), browser.findings());
            browser.until("document.activeElement.name === 'key'");
            browser.type("wrong");
            browser.press("Enter");
            browser.untilShown("The key is not known.");
            browser.type("read-key-90c1");
            browser.press("Enter");
            browser.untilShown("given-up");
            browser.untilShown("This key is read-only");
            browser.until("[...document.querySelectorAll('main button')].filter(b =>"
                    + " b.textContent.startsWith('Replay')).every(b => b.disabled)");
            assertEquals(List.of(), browser.findings());
            assertFalse(browser.is("JSON.stringify(localStorage).includes('key-90c1') || document.cookie ||"
                    + " location.href.includes('key-90c1')"));
            browser.js("[...document.querySelectorAll('button')].find(b => b.textContent === 'Other key').click()");
            browser.untilShown("A key is required");
            browser.until("document.activeElement.name === 'key' || (document.querySelector('input[name=key]').focus(),"
                    + " false)");
            browser.type("full-key-51b2");
            browser.press("Enter");
            browser.untilShown("given-up");
            browser.click("[aria-label='Replay given-up at tag']");
            browser.untilShown("Nothing was given up.");
        } finally {
            keyed.close();
            browser.forget(); // Chromium itself logs the 401 of the wrong key
        }
    }

    private static void show(String view) {
        browser.go(freshet.url() + "/admin/info?view=" + view);
        browser.until("document.querySelector('.link.live')");
    }

    /**
     * Asserts that nothing troubles a screen reader and nothing is cut off on a phone, in the light and the dark theme.
     */
    private static void assertGood(String name) throws Exception {
        for (int width : List.of(1280, 390)) {
            for (boolean dark : List.of(false, true)) {
                browser.size(width, 900, dark);
                browser.until("innerWidth === " + width);
                assertEquals(List.of(), browser.findings(), name + " at " + width + (dark ? ", dark" : ", light"));
                if (System.getProperty("freshet.shots") != null) {
                    browser.shot(Path.of(
                            System.getProperty("freshet.shots"), name + "-" + width + (dark ? "-dark" : "") + ".png"));
                }
            }
        }
        assertEquals(390, browser.js("document.documentElement.scrollWidth").asInt(), name);
        browser.size(1280, 900, false);
    }

    private static void giveUp(int status, String... tags) throws Exception {
        List<String> all = new ArrayList<>(List.of(tags));
        all.forEach(tag -> scene.receiver.always(tag, Receiver.status(status)));
        scene.change(tags);
        Scene.until(
                all + " were given up",
                () -> scene.isTrue(
                        "SELECT count(*) = cardinality(?::text[]) FROM freshet.dead_letter WHERE tag = ANY (?::text[])",
                        tags,
                        tags));
    }

    private static void failAJob() throws Exception {
        functions.drop("update_power_ratings");
        String job = functions.queue();
        functions.openTheGate();
        functions.await(job, "failed");
        functions.create("update_power_ratings");
    }

    private static String colour() {
        return browser.js("getComputedStyle(document.querySelector('.job')).borderLeftColor")
                .asText();
    }
}
