package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.testing.Receiver;
import dev.freshet.testing.TargetRouteTest;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.Test;

class CloudfrontRoutesTest extends TargetRouteTest {
    CloudfrontRoutesTest() {
        super("templates/cloudfront.camel.yaml");
    }

    @Test
    void tags_are_invalidated_together_by_a_signed_call() throws Exception {
        start();
        deliver("seda:target-cdn", "course:7", "course:8");
        assertEquals(
                List.of("POST /2020-05-31/distribution/E2/invalidation\n"
                        + "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">"
                        + " <Paths><Quantity>2</Quantity>"
                        + " <Items><Path>#course:7</Path><Path>#course:8</Path></Items></Paths>"
                        + " <CallerReference>" + call("course:7", "course:8").getId()
                        + "</CallerReference></InvalidationBatch>"),
                calls());
        assertEquals(
                Set.of("authorization", "content-type", "x-amz-date", "x-amz-security-token"),
                headers().keySet());
        assertEquals("application/xml", headers().get("content-type"));
        assertEquals("session", headers().get("x-amz-security-token"));
        Receiver.Call call = receiver.calls().get(0);
        Map<String, String> signed = new TreeMap<>(headers());
        signed.keySet().retainAll(List.of("x-amz-date", "x-amz-security-token"));
        signed.put("host", call.header("host"));
        assertEquals(
                AwsSignature.authorization(
                        new AwsSignature.Scope("AKID", "secret", "us-east-1", "cloudfront"),
                        "POST",
                        URI.create(receiver.url() + "/2020-05-31/distribution/E2/invalidation"),
                        signed,
                        call.body()),
                headers().get("authorization"));
        assertEquals(List.of("direct:delivered {}"), happened());
    }

    @Test
    void an_exceeded_quota_is_not_a_refusal_but_any_other_400_is() throws Exception {
        start();
        receiver.everybody(Receiver.json(400, "<Error><Code>TooManyInvalidationsInProgress</Code></Error>"));
        String told = assertThrows(TryLater.class, () -> deliver("seda:target-cdn", "course:7"))
                .getMessage();
        assertEquals("HTTP 400: <Error><Code>TooManyInvalidationsInProgress</Code></Error>", told);
        receiver.everybody(Receiver.json(400, "<Error><Code>Throttling</Code></Error>"));
        assertThrows(TryLater.class, () -> deliver("seda:target-cdn", "course:7"));
        receiver.everybody(Receiver.json(400, "<Error><Code>InvalidArgument</Code></Error>"));
        assertThrows(HttpOperationFailedException.class, () -> deliver("seda:target-cdn", "course:7"));
        assertEquals(List.of(), happened());
    }

    private void start() throws Exception {
        target(
                "cloudfront",
                Map.of(
                        "address", receiver.url(),
                        "distribution", "E2",
                        "access-key-id", "AKID",
                        "secret-access-key", "secret",
                        "session-token", "session"));
    }
}
