//! Requests whose end two servers may see in two places. Whatever is answered, what hides in them is never taken for a
//! request of its own, and the connection ends.

use crate::support::{Certified, Running, encrypt, heard, is_closed, plain};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nhost: a.example\r\n\r\n";

fn post(fields: &str, body: &str) -> String {
    format!("POST /length HTTP/1.1\r\nhost: a.example\r\n{fields}\r\n{body}")
}

#[tokio::test]
async fn what_hides_in_a_request_stays_hidden() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |_| {});
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    let hidden = HIDDEN.len();
    let cases = [
        // Both lengths, in both orders.
        post(&format!("content-length: {hidden}\r\ntransfer-encoding: chunked\r\n"), &format!("0\r\n\r\n{HIDDEN}")),
        post(&format!("transfer-encoding: chunked\r\ncontent-length: {hidden}\r\n"), &format!("0\r\n\r\n{HIDDEN}")),
        post("content-length: 4\r\ntransfer-encoding: chunked\r\n", &chunk),
        // A chunked body is followed by nothing.
        post("transfer-encoding: chunked\r\n", &format!("0\r\n\r\n{HIDDEN}")),
        // Two lengths, or one that is none.
        post(&format!("content-length: 0\r\ncontent-length: {hidden}\r\n"), HIDDEN),
        post(&format!("content-length: {hidden}\r\ncontent-length: 0\r\n"), HIDDEN),
        post(&format!("content-length: 0, {hidden}\r\n"), HIDDEN),
        post("content-length: +0\r\n", HIDDEN),
        post("content-length: -1\r\n", HIDDEN),
        post("content-length: 0x0\r\n", HIDDEN),
        post("content-length: 0 0\r\n", HIDDEN),
        post("content-length: 99999999999999999999999\r\n", HIDDEN),
        post("content-length:\r\n", HIDDEN),
        // Other encodings, and words that look like the one we know.
        post("transfer-encoding: xchunked\r\n", HIDDEN),
        post("transfer-encoding: chunked, identity\r\n", HIDDEN),
        post("transfer-encoding: identity\r\n", HIDDEN),
        post("transfer-encoding: chunked\r\ntransfer-encoding: x\r\n", HIDDEN),
        post("transfer-encoding: \"chunked\"\r\n", HIDDEN),
        post("transfer-encoding:\x0bchunked\r\n", HIDDEN),
        post("transfer-encoding\x20: chunked\r\n", &format!("0\r\n\r\n{HIDDEN}")),
        post(" transfer-encoding: chunked\r\n", &format!("0\r\n\r\n{HIDDEN}")),
        // A field that goes on in the next line.
        post("x: y\r\n transfer-encoding: chunked\r\n", HIDDEN),
        post("content-length:\r\n 0\r\n", HIDDEN),
        // Broken chunks.
        post("transfer-encoding: chunked\r\n", &format!("0x0\r\n\r\n{HIDDEN}")),
        post("transfer-encoding: chunked\r\n", &format!("-0\r\n\r\n{HIDDEN}")),
        post("transfer-encoding: chunked\r\n", &format!("\r\n0\r\n\r\n{HIDDEN}")),
        post("transfer-encoding: chunked\r\n", &format!("fffffffffffffffff\r\n{HIDDEN}")),
        post("transfer-encoding: chunked\r\n", &format!("1\r\nxx\r\n0\r\n\r\n{HIDDEN}")),
        post("transfer-encoding: chunked\r\n", &format!("0\n\n{HIDDEN}")),
        post("transfer-encoding: chunked\r\n", &format!("0;\n\r\n\r\n{HIDDEN}")),
        post("transfer-encoding: chunked\r\n", &format!("0\r\nx y\r\n\r\n{HIDDEN}")),
        // No version 1.1 and chunks; another version.
        format!("POST /length HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"),
        format!("POST /length HTTP/3.0\r\nhost: a\r\n\r\n{HIDDEN}"),
        format!("POST /length HTTP/1.1 x\r\nhost: a\r\n\r\n{HIDDEN}"),
        // Bytes that end a line for some.
        format!("POST /length HTTP/1.1\rhost: a\r\n\r\n{HIDDEN}"),
        format!("POST /length HTTP/1.1\r\nhost: a\rcontent-length: 0\r\n\r\n{HIDDEN}"),
        format!("POST /length HTTP/1.1\r\nhost: a\0\r\n\r\n{HIDDEN}"),
        format!("POST /length\x0b HTTP/1.1\r\nhost: a\r\n\r\n\0{HIDDEN}"),
    ];
    let texts = futures_util::future::join_all(cases.iter().map(|case| server.say(case.as_bytes()))).await;
    for (case, text) in cases.iter().zip(texts) {
        assert!(!text.contains("SMUGGLED"), "{}\n\n{text}", case.escape_debug());
        assert!(text.matches("HTTP/1.1 ").count() <= 1, "{}\n\n{text}", case.escape_debug());
    }
}

/// What others may read otherwise is refused, whatever would be the right way to read it, and so is all behind it.
#[tokio::test]
async fn what_has_two_meanings_is_refused_and_the_connection_ends() {
    let chunks = "2\r\nhi\r\n0\r\n\r\n";
    let cases = [
        post("content-length: 12\r\ntransfer-encoding: chunked\r\n", chunks),
        post("transfer-encoding: chunked\r\ncontent-length: 12\r\n", chunks),
        post("Transfer-Encoding:chunked\r\nx: y\r\nCONTENT-LENGTH:0\r\n", chunks),
        post("content-length: 2\r\ncontent-length: 3\r\n", "hi!"),
        post("content-length: 3\r\ncontent-length: 2\r\n", "hi!"),
        post("content-length: 2, 2\r\n", "hi"),
        post("transfer-encoding: xchunked\r\n", chunks),
        post("transfer-encoding: gzip, chunked\r\n", chunks),
        post("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", chunks),
        // A field that goes on in the next line.
        post("x: y\r\n z\r\ncontent-length: 2\r\n", "hi"),
        post("x: y\r\n\tz\r\ncontent-length: 2\r\n", "hi"),
        // Half an end of a line.
        post("x: y\rz: a\r\ncontent-length: 2\r\n", "hi"),
        post("x: y\nz: a\r\ncontent-length: 2\r\n", "hi"),
        post("content-length: 2\n", "hi"),
        "POST /length HTTP/1.1\nhost: a.example\ncontent-length: 2\n\nhi".to_owned(),
        post("x: y\0z\r\ncontent-length: 2\r\n", "hi"),
        post("x\0: y\r\ncontent-length: 2\r\n", "hi"),
    ];
    let certified = Certified::new(&[&["a.example"]]);
    let (open, encrypted) = (Running::start(vec![plain("127.0.0.1:0")], |_| {}), certified.start(|_| {}));
    let ask = async |case: &str, tls: bool, before: &str| {
        let mut stream: Box<dyn Stream> = match tls {
            false => Box::new(open.connect().await),
            true => {
                let agreed = encrypt(encrypted.connect().await, certified.client(), "a.example", &["http/1.1"]).await;
                Box::new(agreed.unwrap())
            }
        };
        if !before.is_empty() {
            stream.write_all(before.as_bytes()).await.unwrap();
            let text = heard(&mut stream).await;
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        }
        let _ = stream.write_all(format!("{case}{HIDDEN}").as_bytes()).await;
        let text = heard(&mut stream).await;
        let case = case.escape_debug();
        assert!(text.starts_with("HTTP/1.1 400") && !text.contains("SMUGGLED"), "{case}\n\n{text}");
        assert!(is_closed(&mut stream).await, "{case}");
    };
    let honest = post("content-length: 5\r\n", "a\nb\nc");
    let all = cases.iter().flat_map(|case| [(case, false, ""), (case, true, ""), (case, false, &*honest)]);
    futures_util::future::join_all(all.map(|(case, tls, before)| ask(case, tls, before))).await;
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// What must work all the same.
#[tokio::test]
async fn honest_bodies_are_taken() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |_| {});
    let text =
        server.say(post("transfer-encoding: chunked\r\n", "5\r\nhello\r\n3;x=y\r\n!!!\r\n0\r\n\r\n").as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with('8'), "{text}");
    let twice = [post("content-length: 5\r\n", "hello"), post("content-length: 2\r\n", "hi")].concat();
    let text = server.say(twice.as_bytes()).await;
    assert!(text.matches("HTTP/1.1 200").count() == 2 && text.ends_with('2'), "{text}");
    // The same length twice is the same length.
    let text = server.say(post("content-length: 5\r\ncontent-length: 5\r\n", "hello").as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 "), "{text}");
}
