//! Uploads: from the file a client sends to the picture that others see.

mod pictures;

use crate::{id, text};
use domain::ids;
use domain::media::{Details, New, Upload};
use media::{Content, Key, Listing};
use pictures::{SECRET, quarters};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::{Client, TestServer};

async fn upload(who: &Client, path: &str, bytes: Vec<u8>) -> testkit::Reply {
    who.upload(path, ("file", "x.jpg", bytes), &[]).await
}

/// Everything that lies in the store.
async fn stored(server: &TestServer) -> Vec<String> {
    let listing = Listing { limit: 100, ..Listing::default() };
    let entries = server.parts().store.list(listing).await.unwrap();
    entries.into_iter().map(|entry| entry.key.to_string()).collect()
}

fn spooled(server: &TestServer) -> usize {
    std::fs::read_dir(server.parts().store.spool()).unwrap().count()
}

async fn shown(server: &TestServer, attachment: &Value, name: &str) -> (String, Vec<u8>) {
    let reply = server.client().get(text(attachment, name), ()).await;
    assert_eq!(reply.status, 200, "{attachment:#}");
    (reply.header("content-type").to_owned(), reply.body)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

testkit::on_both_engines! {
    async fn a_photograph_is_uploaded_described_and_posted(server: TestServer) {
        let alice = server.person("alice").await;
        let photograph = pictures::jpeg_turned(&quarters(400, 300));
        assert!(contains(&photograph, SECRET));
        let fields = [("description", "four colours"), ("focus", "-0.5,0.25")];
        let sent = alice.upload("/api/v2/media", ("file", "DSC 1.JPG", photograph), &fields).await.expect(202);
        assert_eq!((&sent["type"], &sent["url"], &sent["preview_url"]), (&json!("image"), &Value::Null, &Value::Null));
        server.settle().await;

        let path = format!("/api/v1/media/{}", id(&sent));
        let ready = alice.get(&path, ()).await.ok();
        assert_eq!(ready["description"], "four colours");
        assert_eq!(ready["remote_url"], Value::Null);
        let side = json!({ "width": 300, "height": 400, "size": "300x400", "aspect": 0.75 });
        let meta = json!({ "focus": { "x": -0.5, "y": 0.25 }, "original": side, "small": side });
        assert_eq!(ready["meta"], meta);
        assert_eq!(text(&ready, "blurhash").len(), 36, "four by four components");
        for name in ["url", "preview_url"] {
            let (kind, bytes) = shown(&server, &ready, name).await;
            assert_eq!(kind, "image/jpeg");
            assert!(!contains(&bytes, SECRET) && !contains(&bytes, b"Exif"), "{name} has lost its metadata");
        }
        assert!(text(&ready, "url").starts_with("https://noren.test/media/media_attachments/files/"));

        let changes = [("description", "four quarters"), ("focus", "2,0")];
        let changed = alice.put(&path, changes).await.ok();
        assert_eq!((&changed["description"], &changed["meta"]["focus"]), (&json!("four quarters"), &json!({"x": 1.0, "y": 0.0})));
        let as_json = alice.put(&path, json!({ "description": "四つの色" })).await.ok();
        assert_eq!((&as_json["description"], &as_json["meta"]["focus"]["x"]), (&json!("四つの色"), &json!(1.0)));

        let posted = alice.post("/api/v1/statuses", json!({ "status": "", "media_ids": [id(&sent)] })).await.ok();
        assert_eq!(posted["media_attachments"], json!([as_json]));
        assert_eq!(alice.get(&path, ()).await.status, 404, "no longer an upload");
        assert_eq!(alice.put(&path, [("description", "x")]).await.status, 404);
        let used = alice.delete(&path, ()).await.expect(422);
        assert_eq!(used, json!({ "error": "Media attachment is currently used by a status" }));
        assert_eq!(stored(&server).await.len(), 2, "the upload itself is gone");
        assert_eq!(spooled(&server), 0);
    }

    async fn every_format(server: TestServer) {
        let alice = server.person("alice").await;
        let avif = include_bytes!("../../../../media/tests/fixtures/quarters.avif").to_vec();
        for (bytes, original, preview) in [
            (pictures::png(40, 30), "image/png", "image/png"),
            (pictures::moving_gif(40, 30), "image/gif", "image/png"),
            (pictures::webp(40, 30), "image/webp", "image/webp"),
            (pictures::jpeg(&quarters(40, 30)), "image/jpeg", "image/jpeg"),
            (avif, "image/jpeg", "image/jpeg"),
        ] {
            let made = upload(&alice, "/api/v1/media", bytes.clone()).await.ok();
            assert_eq!(made["type"], "image");
            let (kind, shown_bytes) = shown(&server, &made, "url").await;
            assert_eq!((kind.as_str(), shown(&server, &made, "preview_url").await.0.as_str()), (original, preview));
            if original != "image/jpeg" {
                assert_eq!(shown_bytes, bytes, "{original} has no metadata and keeps its bytes");
            }
        }
        assert_eq!(spooled(&server), 0);
    }

    async fn what_is_no_picture_is_refused(server: TestServer) {
        let alice = server.person("alice").await;
        let photograph = pictures::jpeg(&quarters(640, 480));
        let invalid = "Validation failed: File content type is invalid, File is invalid";
        let big = [photograph.as_slice(), &vec![0; 16 << 20]].concat();
        for path in ["/api/v1/media", "/api/v2/media"] {
            for (bytes, error) in [
                (b"<html><script>alert(1)</script>".to_vec(), invalid),
                (b"\x1aE\xdf\xa3 a video".to_vec(), invalid),
                (Vec::new(), invalid),
                (photograph[..photograph.len() / 2].to_vec(), "Validation failed: File is invalid"),
                (photograph[..3].to_vec(), "Validation failed: File is invalid"),
                (pictures::bomb(60_000, 60_000), "60000x60000 images are not supported"),
                (big.clone(), "Validation failed: File must be less than 16 MB"),
            ] {
                let refused = upload(&alice, path, bytes).await.expect(422);
                assert!(text(&refused, "error").starts_with(error), "{refused} is not {error}");
            }
            let nothing = alice.post(path, [("description", "x")]).await.expect(422);
            assert_eq!(nothing["error"], "Validation failed: File can't be blank");
            for (field, value, error) in [
                ("description", "絵".repeat(1501), "Description is too long (maximum is 1500 characters)"),
                ("focus", "left".into(), "Focus must be two numbers from -1 to 1 with a comma between them"),
            ] {
                let file = ("file", "x.jpg", photograph.clone());
                let refused = alice.upload(path, file, &[(field, &value)]).await.expect(422);
                assert_eq!(refused["error"], format!("Validation failed: {error}"));
            }
        }
        server.settle().await;
        assert_eq!((stored(&server).await.len(), spooled(&server)), (0, 0));
    }

    async fn what_turns_out_broken_later_is_told(server: TestServer) {
        let alice = server.person("alice").await;
        let broken = pictures::broken_png(40, 30);
        let refused = upload(&alice, "/api/v1/media", broken.clone()).await.expect(422);
        assert!(text(&refused, "error").starts_with("Validation failed: File is invalid"), "{refused}");
        let sent = upload(&alice, "/api/v2/media", broken).await.expect(202);
        server.settle().await;
        let path = format!("/api/v1/media/{}", id(&sent));
        let told = alice.get(&path, ()).await.expect(422);
        assert!(text(&told, "error").starts_with("Error processing thumbnail for uploaded media: File is invalid"), "{told}");
        assert_eq!(alice.put(&path, [("description", "x")]).await.expect(422), told);
        alice.post("/api/v1/statuses", json!({ "media_ids": [id(&sent)] })).await.expect(422);
        assert_eq!((stored(&server).await.len(), spooled(&server)), (0, 0));
        assert_eq!(alice.delete(&path, ()).await.ok(), json!({}));
        assert_eq!(alice.get(&path, ()).await.status, 404);
    }

    async fn an_upload_is_the_uploaders_own(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let made = upload(&alice, "/api/v1/media", pictures::png(4, 3)).await.ok();
        let path = format!("/api/v1/media/{}", id(&made));
        for reply in [
            bob.get(&path, ()).await,
            bob.put(&path, [("description", "x")]).await,
            bob.delete(&path, ()).await,
            alice.get("/api/v1/media/1", ()).await,
            alice.get("/api/v1/media/x", ()).await,
        ] {
            assert_eq!(reply.expect(404), json!({ "error": "Record not found" }));
        }
        assert!(bob.post("/api/v1/statuses", json!({ "media_ids": [id(&made)] })).await.status >= 400);
        let reader = server.client().with_token(&server.token(&alice, "read write:statuses").await);
        assert_eq!(reader.get(&path, ()).await.status, 403);
        assert_eq!(upload(&reader, "/api/v2/media", pictures::png(4, 3)).await.status, 403);
        assert_eq!(upload(server.client(), "/api/v2/media", pictures::png(4, 3)).await.status, 401);
        assert_eq!(spooled(&server), 0);

        let url = text(&made, "url").to_owned();
        assert_eq!(server.client().get(&url, ()).await.status, 200);
        assert_eq!(alice.delete(&path, ()).await.ok(), json!({}));
        server.settle().await;
        assert_eq!(server.client().get(&url, ()).await.status, 404);
        assert!(stored(&server).await.is_empty());
    }

    async fn a_preview_can_be_chosen(server: TestServer) {
        let alice = server.person("alice").await;
        let file = |bytes| Part::bytes(bytes).file_name("x");
        let form = Form::new().part("file", file(pictures::png(1000, 800))).part("thumbnail", file(pictures::png(20, 10)));
        let sent = alice.send(alice.request(Method::POST, "/api/v2/media").multipart(form)).await.expect(202);
        server.settle().await;
        let path = format!("/api/v1/media/{}", id(&sent));
        let ready = alice.get(&path, ()).await.ok();
        assert_eq!((&ready["meta"]["original"]["size"], &ready["meta"]["small"]["size"]), (&json!("1000x800"), &json!("20x10")));
        assert!(text(&ready, "preview_url").contains("/thumbnails/"));

        let form = Form::new().part("thumbnail", file(pictures::png(30, 10)));
        let changed = alice.send(alice.request(Method::PUT, &path).multipart(form)).await.ok();
        assert_eq!(changed["meta"]["small"]["size"], "30x10");
        shown(&server, &changed, "preview_url").await;
        server.settle().await;
        assert_eq!(stored(&server).await.len(), 2, "one original, one preview");

        let form = Form::new().part("thumbnail", file(b"no picture".to_vec()));
        let refused = alice.send(alice.request(Method::PUT, &path).multipart(form)).await.expect(422);
        assert_eq!(refused["error"], "Validation failed: Thumbnail content type is invalid, Thumbnail is invalid");
    }
}

/// With one place to work and that taken, an upload stays unprocessed for as long as wanted.
async fn while_it_is_processed(server: TestServer) {
    let alice = server.person("alice").await;
    let (release, stalled) = std::sync::mpsc::channel::<()>();
    let (tell, is_taken) = tokio::sync::oneshot::channel();
    let pool = server.parts().pool.clone();
    let stall = tokio::spawn(async move {
        pool.run(move || {
            let _ = tell.send(());
            let _ = stalled.recv();
            Ok(())
        })
        .await
    });
    is_taken.await.unwrap();

    let id: ids::MediaId = ids::next();
    let key = media::upload_key(id.0);
    let bytes = pictures::png(40, 30);
    let new = New { id, owner: alice.account, details: Details::default(), thumbnail: None };
    let received = Upload { key: key.to_string(), content_type: "image/png".into(), size: bytes.len() as i64 };
    server.parts().store.put(&key, Content::Bytes(bytes.into())).await.unwrap();
    domain::media::receive(server.db(), new, received).await.unwrap();

    let path = format!("/api/v1/media/{id}");
    let waiting = alice.get(&path, ()).await.expect(206);
    assert_eq!((&waiting["url"], &waiting["meta"], &waiting["blurhash"]), (&Value::Null, &Value::Null, &Value::Null));
    let changed = alice.put(&path, [("description", "soon"), ("focus", "0,1")]).await.expect(206);
    assert_eq!(changed["description"], "soon");
    let refused = alice.post("/api/v1/statuses", json!({ "media_ids": [id.to_string()] })).await.expect(422);
    let sentence = "Cannot attach files that have not finished processing. Try again in a moment!";
    assert_eq!(refused, json!({ "error": sentence }));
    assert_eq!(server.client().get(&format!("/media/{key}"), ()).await.status, 404, "uploads are not shown");

    let other: ids::MediaId = ids::next();
    let deleted = New { id: other, owner: alice.account, details: Details::default(), thumbnail: None };
    let upload = Upload { key: "uploads/nowhere".into(), content_type: "image/png".into(), size: 1 };
    domain::media::receive(server.db(), deleted, upload).await.unwrap();
    alice.delete(&format!("/api/v1/media/{other}"), ()).await.ok();

    release.send(()).unwrap();
    stall.await.unwrap().unwrap();
    server.settle().await;
    let ready = alice.get(&path, ()).await.ok();
    assert_eq!((&ready["description"], &ready["meta"]["focus"]["y"]), (&json!("soon"), &json!(1.0)));
    assert!(!server.parts().store.exists(&Key::parse(key.as_str()).unwrap()).await.unwrap());
    assert_eq!(stored(&server).await.len(), 2);
}

#[test]
fn while_it_is_processed_on_sqlite() {
    testkit::run_with(testkit::Engine::Sqlite, |config| config.media.decoders = 1, while_it_is_processed);
}

#[test]
fn while_it_is_processed_on_postgres() {
    testkit::run_with(testkit::Engine::Postgres, |config| config.media.decoders = 1, while_it_is_processed);
}
