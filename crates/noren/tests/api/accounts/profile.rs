//! One's own account: verify_credentials, update_credentials, profile

use super::{ATTRIBUTES, keys};
use crate::text;
use domain::users::{self, Change, NewUser, Role};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use std::io::Cursor;
use testkit::{Person, Reply, TestServer};

const UPDATE: &str = "/api/v1/accounts/update_credentials";

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 90]));
    picture.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

async fn send(who: &Person, field: &'static str, bytes: Vec<u8>) -> Reply {
    let form = Form::new().text("bot", "true").part(field, Part::bytes(bytes).file_name("me.png"));
    who.send(who.request(Method::PATCH, UPDATE).multipart(form)).await
}

testkit::on_both_engines! {
    async fn verify_credentials_has_a_source_and_a_role(server: TestServer) {
        let alice = server.person("alice").await;
        let shown = alice.get("/api/v1/accounts/verify_credentials", ()).await.ok();
        assert_eq!(keys(&shown)[..ATTRIBUTES.len()], *ATTRIBUTES);
        assert_eq!(keys(&shown)[ATTRIBUTES.len()..], ["source", "role"]);
        assert_eq!(
            shown["source"],
            json!({
                "attribution_domains": [], "note": "", "fields": [], "privacy": "public", "sensitive": false,
                "language": "", "follow_requests_count": 0, "hide_collections": null, "discoverable": null,
                "indexable": false, "quote_policy": "public", "status_content_type": "text/plain",
            })
        );
        assert_eq!(
            shown["role"],
            json!({
                "id": "-99", "name": "", "color": "", "permissions": "65536", "highlighted": false,
                "collection_limit": 10,
            })
        );
        server.client().get("/api/v1/accounts/verify_credentials", ()).await.expect(401);
        let profile = alice.with_token(&server.token(&alice, "profile").await);
        profile.get("/api/v1/accounts/verify_credentials", ()).await.ok();
        let write = alice.with_token(&server.token(&alice, "write").await);
        write.get("/api/v1/accounts/verify_credentials", ()).await.expect(403);
        let read = alice.with_token(&server.token(&alice, "read").await);
        read.patch(UPDATE, [("note", "x")]).await.expect(403);
    }

    async fn staff_wear_a_badge(server: TestServer) {
        let born = NewUser { role: Role::Moderator, ..NewUser::named("alice") };
        let alice = server.person_with(born, "read").await;
        let role = async |change: Option<Role>| {
            if let Some(role) = change {
                let change = Change { role: Some(role), ..Change::default() };
                users::modify(server.db(), alice.user, change).await.unwrap();
            }
            alice.get("/api/v1/accounts/verify_credentials", ()).await.ok()
        };
        assert_eq!(role(None).await["roles"], json!([{ "id": "1", "name": "Moderator", "color": "" }]));
        let shown = role(Some(Role::Owner)).await;
        assert_eq!(shown["roles"], json!([{ "id": "3", "name": "Owner", "color": "" }]));
        assert_eq!(shown["role"]["permissions"], "2097151");
        server.person_with(NewUser { role: Role::Owner, ..NewUser::named("bob") }, "read").await;
        assert_eq!(role(Some(Role::User)).await["roles"], json!([]));
    }

    async fn a_profile_is_changed_by_form_and_by_json(server: TestServer) {
        let alice = server.person("alice").await;
        server.person("bob").await;
        let form = [
            ("display_name", "Alice 東京"),
            ("note", "Hi @bob\nhttps://alice.example"),
            ("locked", "1"),
            ("discoverable", "true"),
            ("indexable", "true"),
            ("fields_attributes[0][name]", "Site"),
            ("fields_attributes[0][value]", "https://alice.example"),
            ("fields_attributes[7][name]", "Pronouns"),
            ("fields_attributes[7][value]", "she"),
            ("source[privacy]", "unlisted"),
            ("source[language]", "ja"),
            ("attribution_domains[]", "news.example"),
        ];
        let shown = alice.patch(UPDATE, form).await.ok();
        assert_eq!((&shown["display_name"], &shown["locked"]), (&json!("Alice 東京"), &json!(true)));
        assert!(text(&shown, "note").starts_with("<p>Hi <span class=\"h-card\""), "{}", shown["note"]);
        assert_eq!(shown["source"]["note"], "Hi @bob\nhttps://alice.example");
        assert_eq!(shown["fields"][1], json!({ "name": "Pronouns", "value": "she", "verified_at": null }));
        assert!(text(&shown["fields"][0], "value").contains("rel=\"nofollow noopener me\""));
        assert_eq!(shown["source"]["fields"][0]["value"], "https://alice.example");
        assert_eq!((&shown["source"]["privacy"], &shown["source"]["language"]), (&json!("unlisted"), &json!("ja")));
        assert_eq!(shown["noindex"], false);
        assert_eq!(shown["source"]["attribution_domains"], json!(["news.example"]));
        assert_eq!(shown, alice.get("/api/v1/accounts/verify_credentials", ()).await.ok());

        let change = json!({ "fields_attributes": [{ "name": "One", "value": "1" }], "locked": false, "source": { "sensitive": true } });
        let shown = alice.patch(UPDATE, change).await.ok();
        assert_eq!(shown["fields"].as_array().unwrap().len(), 1);
        assert_eq!((&shown["locked"], &shown["source"]["sensitive"]), (&json!(false), &json!(true)));
        assert_eq!(shown["source"]["privacy"], "unlisted");
        let shown = alice.patch(UPDATE, [("fields_attributes[0][name]", ""), ("fields_attributes[0][value]", "")]).await.ok();
        assert_eq!(shown["fields"], json!([]));
        assert_eq!(alice.patch(UPDATE, ()).await.ok(), shown);
    }

    async fn what_is_too_long_or_wrong_is_refused_whole(server: TestServer) {
        let alice = server.person("alice").await;
        let long = "x".repeat(501);
        for (name, value, why) in [
            ("display_name", &long[..31], "Validation failed: Display name is too long (maximum is 30 characters)"),
            ("note", &long, "Validation failed: Note is too long (maximum is 500 characters)"),
            ("source[privacy]", "secret", "'secret' is not a valid privacy"),
        ] {
            let error = alice.patch(UPDATE, [(name, value), ("bot", "true")]).await.expect(422);
            assert_eq!(error["error"], why);
        }
        let lines = json!({ "fields_attributes": vec![json!({ "name": "a", "value": "b" }); 5] });
        alice.patch(UPDATE, lines).await.expect(422);
        assert_eq!(alice.get("/api/v1/accounts/verify_credentials", ()).await.ok()["bot"], false);
    }

    async fn pictures_are_cut_kept_and_replaced(server: TestServer) {
        let alice = server.person("alice").await;
        let first = send(&alice, "avatar", png(600, 500)).await.ok();
        assert_eq!(first["bot"], true);
        let url = text(&first, "avatar").to_owned();
        assert!(url.contains("/accounts/avatars/"), "{url}");
        assert_eq!(first["avatar"], first["avatar_static"]);
        let picture = server.client().get(&url, ()).await;
        assert_eq!(picture.status, 200);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &picture.body).unwrap();
        let seen = media::probe(file.path(), &media::Limits::default()).unwrap();
        assert_eq!((seen.size.width, seen.size.height), (400, 400));
        let second = send(&alice, "avatar", png(50, 50)).await.ok();
        assert_ne!(second["avatar"], first["avatar"]);
        server.settle().await;
        server.client().get(&url, ()).await.expect(404);

        let shown = send(&alice, "header", png(1600, 600)).await.ok();
        assert!(text(&shown, "header").contains("/accounts/headers/"));
        assert_eq!(shown["avatar"], second["avatar"]);
        let error = send(&alice, "header", b"no picture at all".to_vec()).await.expect(422);
        assert!(text(&error, "error").starts_with("Validation failed: Header "), "{error}");
        let shown = alice.delete("/api/v1/profile/avatar", ()).await.ok();
        assert!(text(&shown, "avatar").ends_with("/avatars/original/missing.png"));
        let shown = alice.delete("/api/v1/profile/header", ()).await.ok();
        assert!(text(&shown, "header").ends_with("/headers/original/missing.png"));
        server.settle().await;
    }

    async fn custom_emoji_of_names_come_along(server: TestServer) {
        let alice = server.person("alice").await;
        let new = domain::emojis::New {
            id: domain::emojis::new_id(),
            shortcode: "blobcat".into(),
            image: "custom_emojis/images/000/000/001/original/a.png".into(),
            image_static: "custom_emojis/images/000/000/001/static/a.png".into(),
            category: Some("blobs".into()),
            visible_in_picker: true,
        };
        domain::emojis::put(server.db(), new).await.unwrap();
        let shown = alice.patch(UPDATE, [("display_name", "Alice :blobcat: :nope:")]).await.ok();
        let all = server.client().get("/api/v1/custom_emojis", ()).await.ok();
        assert_eq!(shown["emojis"], all);
        assert_eq!(keys(&all[0]), ["shortcode", "url", "static_url", "visible_in_picker", "category"]);
        assert_ne!(all[0]["url"], Value::Null);
    }

    async fn a_profile_is_edited_as_it_was_typed(server: TestServer) {
        let alice = server.person("alice").await;
        let path = "/api/v1/profile";
        let empty = alice.get(path, ()).await.ok();
        assert_eq!((&empty["avatar"], &empty["header_static"]), (&Value::Null, &Value::Null));
        let form = [("note", "Hi *there*"), ("fields_attributes[0][name]", "Site"), ("fields_attributes[0][value]", "https://a.example/"), ("bot", "1")];
        let changed = alice.patch(path, form).await.ok();
        assert_eq!(keys(&changed), [
            "id", "display_name", "note", "fields", "avatar", "avatar_static", "avatar_description", "header", "header_static",
            "header_description", "locked", "bot", "hide_collections", "discoverable", "indexable", "show_media",
            "show_media_replies", "show_featured", "attribution_domains",
        ]);
        assert_eq!((text(&changed, "note"), &changed["bot"]), ("Hi *there*", &Value::Bool(true)));
        assert_eq!(changed["fields"][0]["value"], "https://a.example/");
        assert_eq!(alice.get(path, ()).await.ok(), changed);
        alice.patch(path, [("display_name", "x".repeat(31))]).await.expect(422);
        let reader = server.token(&alice, "profile").await;
        let reader = server.client().with_token(&reader);
        assert_eq!(reader.get(path, ()).await.ok(), changed);
        reader.patch(path, [("note", "no")]).await.expect(403);
        server.client().get(path, ()).await.expect(401);
    }
}
