package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Signatures compared with examples that those who require them have published. */
class SignatureVectorsTest {
    /** https://docs.aws.amazon.com/general/latest/gr/sigv4-signed-request-examples.html, ListUsers of IAM. */
    @Test
    void amazons_example_gets_amazons_signature() {
        AwsSignature.Scope scope =
                new AwsSignature.Scope("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "iam");
        Map<String, String> signed = new TreeMap<>(Map.of(
                "host",
                "iam.amazonaws.com",
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
                "x-amz-date",
                "20150830T123600Z"));
        String authorization = AwsSignature.authorization(
                scope, "GET", URI.create("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"), signed, "");
        assertTrue(
                authorization.endsWith("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
                authorization);
    }

    /** EdgeGridV1SignerTest of akamai/AkamaiOPEN-edgegrid-java, "POST request". */
    @Test
    void akamais_example_gets_akamais_signature() {
        EdgeGrid.Client client = new EdgeGrid.Client(
                "akaa-k7glklzuxkkh2ycw-oadjrtwpvpn6yjoj",
                "12rvdn/myhSSiuYAC6ZPGaI91ezhdbYd7WyTRKhGxms=",
                "akaa-dm5g2bfwoodqnc6k-ju7vlao2gz6oz234");
        assertEquals(
                "EG1-HMAC-SHA256 client_token=akaa-k7glklzuxkkh2ycw-oadjrtwpvpn6yjoj;"
                        + "access_token=akaa-dm5g2bfwoodqnc6k-ju7vlao2gz6oz234;timestamp=20160804T07:00:00+0000;"
                        + "nonce=ec9d20ee-1e9b-4c1f-925a-f0017754f86c;"
                        + "signature=AY5RxJqWU9EO3iMM1x/Fd6AdsJF8kzz7NYVmyc8QixA=",
                EdgeGrid.authorization(
                        client,
                        URI.create("http://control.akamai.com/send"),
                        "x=y&a=b",
                        "20160804T07:00:00+0000",
                        "ec9d20ee-1e9b-4c1f-925a-f0017754f86c"));
    }
}
