package dev.freshet.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.Browser;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * From a committed row to an open browser tab, in a real browser: the client as /client serves it, on the page at
 * /demo, in two windows. (client/test/react.test.mjs tests the React hooks.)
 */
class LiveBrowserIT {
    private static final String KEY = "demo-key-0c61";
    private static final String ART =
            "(SELECT a.id FROM art a JOIN events e ON e.id = a.event_id WHERE e.eid = 'AB3028' AND a.round = 1 AND"
                    + " a.easel = %d)";
    private static final String BOARD = "/live/event/AB3028";
    private static final String BIDS = "/live/event/AB3028-1-4/bids";
    private static final String MEDIA = "/live/event/AB3028/media";

    private static Browser browser;
    private static TestDatabase database;
    private static FreshetProcess freshet;
    private static String one;
    private static String other;

    @BeforeAll
    static void open() throws Exception {
        browser = Browser.open();
        one = browser.window();
        other = browser.newWindow();
        database = TestDatabase.empty();
        freshet = FreshetProcess.start(Map.of(
                "DATABASE_URL",
                database.url(),
                "FRESHET_DEMO",
                "true",
                "FRESHET_BUCKET",
                "1s",
                "FRESHET_DEBOUNCE",
                "3s"));
    }

    @AfterAll
    static void close() throws Exception {
        if (browser != null) {
            browser.close();
        }
        if (freshet != null) {
            freshet.close();
        }
        if (database != null) {
            database.close();
        }
    }

    @BeforeEach
    void openTheDemoInBothWindows() {
        browser.forget();
        for (String window : List.of(one, other)) {
            browser.in(window);
            browser.size(1280, 900, false);
            show(freshet);
        }
    }

    @AfterEach
    void assertNoProblemsAndNoForeignRequests() {
        for (String window : List.of(one, other)) {
            browser.in(window);
            browser.offline(false);
            browser.block(List.of());
            browser.go("about:blank#" + System.nanoTime());
        }
        // failures that the tests themselves cause
        assertEquals(
                List.of(),
                browser.problems().stream()
                        .filter(problem -> !problem.contains("ERR_INTERNET_DISCONNECTED")
                                && !problem.contains("ERR_BLOCKED_BY_CLIENT"))
                        .toList());
        assertEquals(
                List.of(),
                browser.requests().stream()
                        .filter(url -> !url.startsWith("http://127.0.0.1:") && !url.startsWith("about:"))
                        .toList());
    }

    @Test
    void a_vote_in_one_window_is_announced_and_refetched_in_the_other() {
        int votes = votes(4);
        int[] before = {fetches(BOARD), fetches(BIDS), fetches(MEDIA)};
        browser.in(one);
        browser.click("#vote");
        for (String window : List.of(other, one)) {
            browser.in(window);
            untilVotes(4, votes + 1);
            browser.until(
                    "document.querySelector('#lines').innerText.includes('📡 [BROADCAST] vote_cast notification for"
                            + " event AB3028')");
        }
        browser.in(other);
        assertEquals(
                List.of(before[0] + 1, before[1], before[2]),
                List.of(fetches(BOARD), fetches(BIDS), fetches(MEDIA)),
                "only what the vote touches is fetched again");
    }

    @Test
    void a_bid_and_a_photo_make_the_pages_that_show_them_stale() {
        int photos = browser.js("Number(document.querySelector('.media .small').textContent.match(/\\d+/)[0])")
                .asInt();
        String highest = browser.js("document.querySelector('.list .first b').textContent")
                .asText();
        int board = fetches(BOARD);
        browser.in(one);
        browser.click("#photo");
        browser.in(other);
        browser.until("document.querySelector('.media .small').textContent.includes('" + (photos + 1) + "')");
        assertEquals(board, fetches(BOARD), "a photo is not on the board");
        browser.in(one);
        browser.click("#bid");
        browser.in(other);
        browser.until("document.querySelector('.list .first b').textContent !== " + Browser.quoted(highest));
        browser.until(
                "document.querySelector('[data-easel=\"4\"] .price').textContent === document.querySelector('.list"
                        + " .first b').textContent");
        browser.click("[data-easel='2']");
        browser.until(
                "document.querySelector('[data-endpoint=\"/live/event/AB3028-1-2/bids\"]').dataset.state === 'fresh'");
    }

    @Test
    void events_missed_while_offline_arrive_when_the_network_is_back() throws Exception {
        browser.in(other);
        int votes = votes(4) + 1;
        int third = votes(3);
        // from here on there is an id to resume from; before the very first event it would fetch everything again
        database.run("INSERT INTO votes (art_id) VALUES (" + ART.formatted(4) + ")");
        untilVotes(4, votes);
        browser.offline(true);
        // Chromium keeps open connections when it goes offline; a phone that wakes up does not trust them either
        browser.js("dispatchEvent(new Event('online'))");
        browser.until("document.querySelector('#link').dataset.link !== 'live'");
        database.run("INSERT INTO votes (art_id) VALUES (" + ART.formatted(4) + ")");
        database.run("INSERT INTO votes (art_id) VALUES (" + ART.formatted(3) + ")");
        database.run("INSERT INTO bids (art_id, amount) VALUES (" + ART.formatted(4) + ", 7777)");
        browser.in(one);
        untilVotes(3, third + 1);
        browser.in(other);
        assertEquals(List.of(votes, third), List.of(votes(4), votes(3)));
        browser.offline(false);
        untilVotes(4, votes + 1);
        untilVotes(3, third + 1);
        browser.until("document.querySelector('.list .first b').textContent === '$7,777'");
        String lines = browser.js("document.querySelector('#lines').innerText").asText();
        assertEquals(3, occurrences(lines, "[BROADCAST] vote_cast"), "each of them once:\n" + lines);
        assertEquals(1, occurrences(lines, "[BROADCAST] bid_placed"), lines);
        assertEquals(0, occurrences(lines, "[BROADCAST] reset"), lines);
    }

    @Test
    void the_client_polls_where_no_stream_gets_through() throws Exception {
        browser.in(other);
        browser.block(List.of("*/live/*/stream*"));
        show(freshet);
        // as it cannot know what happened meanwhile, it reports a reset once, and continues from there
        browser.until("document.querySelector('#link').dataset.link === 'polling' &&"
                + " document.querySelector('#lines').innerText.includes('[BROADCAST] reset')");
        int votes = votes(5);
        database.run("INSERT INTO votes (art_id) VALUES (" + ART.formatted(5) + ")");
        browser.until(
                "document.querySelector('#lines').innerText.includes('[BROADCAST] vote_cast notification for event"
                        + " AB3028')");
        untilVotes(5, votes + 1);
    }

    @Test
    void five_changes_in_a_burst_are_fetched_once() throws Exception {
        browser.in(other);
        int votes = votes(6);
        int fetches = fetches(BOARD);
        StringBuilder burst = new StringBuilder();
        for (int i = 0; i < 5; i++) {
            burst.append("INSERT INTO votes (art_id) VALUES (")
                    .append(ART.formatted(6))
                    .append(");");
        }
        database.run(burst.toString());
        untilVotes(6, votes + 5);
        assertEquals(
                5,
                occurrences(
                        browser.js("document.querySelector('#lines').innerText").asText(), "[BROADCAST] vote_cast"));
        assertEquals(fetches + 1, fetches(BOARD));
    }

    @Test
    void a_course_is_stale_in_both_windows_until_one_call_names_its_tag() {
        browser.in(one);
        String title = browser.js("document.querySelector('[data-page=course] .cached').textContent")
                .asText();
        browser.click("#course");
        browser.until("document.querySelector('[data-page=course]').dataset.state === 'stale'");
        browser.click("#course");
        for (String window : List.of(one, other)) {
            browser.in(window);
            browser.until("document.querySelector('[data-page=course]').dataset.state === 'fresh' &&"
                    + " document.querySelector('[data-page=course] .cached').textContent !== "
                    + Browser.quoted(title));
            browser.until("document.querySelector('#calls')?.innerText.includes('course:1')");
        }
    }

    @Test
    void a_finished_match_is_on_the_page_when_its_statistics_are_computed() {
        browser.in(one);
        String rendered = browser.js("document.querySelector('[data-page=table] time').dateTime")
                .asText();
        browser.click("#match");
        for (String window : List.of(one, other)) {
            browser.in(window);
            browser.until("document.querySelector('[data-page=table]').dataset.state === 'fresh' &&"
                    + " document.querySelector('[data-page=table] time').dateTime !== "
                    + Browser.quoted(rendered));
            browser.until("document.querySelector('#calls')?.innerText.includes('season_stats')");
        }
        assertEquals(
                browser.js("document.querySelector('[data-page=table] .big').textContent"),
                browser.js("document.querySelector('[data-page=table] .cached').textContent"));
    }

    @Test
    void the_page_is_accessible_in_every_size_and_without_a_mouse() throws Exception {
        browser.in(one);
        browser.tabTo("element.id === 'vote'");
        int votes = votes(4);
        browser.press("Enter");
        untilVotes(4, votes + 1);
        browser.tabTo("element.dataset.easel === '3'");
        browser.press("Enter");
        browser.until("document.querySelector('[data-easel=\"3\"]').getAttribute('aria-pressed') === 'true'");
        for (int width : new int[] {390, 820, 1280}) {
            for (boolean dark : new boolean[] {false, true}) {
                browser.size(width, 900, dark);
                browser.until("document.getAnimations().every(animation => animation.playState === 'finished')");
                assertEquals(List.of(), browser.findings(), width + (dark ? " dark" : " light"));
                assertTrue(
                        browser.is("document.documentElement.scrollWidth <= innerWidth"),
                        "nothing is cut off at " + width);
                screenshot("demo-" + width + (dark ? "-dark" : "-light"));
            }
        }
        browser.size(1280, 900, false);
        browser.click("#course");
        browser.until("document.querySelector('[data-page=course]').dataset.state === 'stale'");
        browser.click("#vote");
        browser.until("document.querySelector('.board').dataset.state === 'stale'");
        screenshot("demo-1280-stale");
    }

    @Test
    void the_page_asks_for_a_key_if_keys_are_configured() throws Exception {
        try (FreshetProcess locked = FreshetProcess.start(
                Map.of("FRESHET_DEMO", "true", "INTERNAL_API_KEY", KEY, "FRESHET_LIVE_KEY", "live-key-7a2f"))) {
            browser.in(one);
            browser.go(locked.url() + "/demo");
            browser.untilShown("A key is required");
            assertEquals(
                    List.of(),
                    browser.requests().stream()
                            .filter(url -> url.contains("/demo/data/") && url.startsWith(locked.url()))
                            .toList());
            assertEquals(List.of(), browser.findings());
            screenshot("demo-key");
            browser.js("document.querySelector('input[name=key]').focus()");
            browser.type(KEY);
            browser.js("document.querySelector('input[name=live]').focus()");
            browser.type("live-key-7a2f");
            browser.press("Enter");
            browser.until("document.querySelector('#link')?.dataset.link === 'live' &&"
                    + " document.querySelector('.board')?.dataset.state === 'fresh'");
            int votes = votes(4);
            browser.click("#vote");
            untilVotes(4, votes + 1);
            browser.go("about:blank#" + System.nanoTime());
        }
    }

    private static void show(FreshetProcess shown) {
        browser.go(shown.url() + "/demo");
        browser.until("['board', 'bids', 'media'].every(name => document.querySelector('.' + name)?.dataset.state ==="
                + " 'fresh') && document.querySelector('[data-page=table]')");
    }

    private static int votes(int easel) {
        return browser.js("Number(document.querySelector('[data-easel=\"" + easel + "\"] .votes b').textContent)")
                .asInt();
    }

    private static void untilVotes(int easel, int votes) {
        browser.until("document.querySelector('[data-easel=\"" + easel + "\"] .votes b').textContent === '" + votes
                + "' && document.querySelector('.board').dataset.state === 'fresh'");
    }

    private static int fetches(String endpoint) {
        return browser.js("Number(document.querySelector('[data-endpoint=\"" + endpoint + "\"]').dataset.fetches)")
                .asInt();
    }

    private static int occurrences(String text, String what) {
        return text.split(Pattern.quote(what), -1).length - 1;
    }

    private static void screenshot(String name) throws IOException {
        browser.shot(Path.of("target/demo-shots", name + ".png"));
    }
}
