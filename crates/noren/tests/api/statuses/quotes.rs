//! /api/v1/statuses/:id/quotes, and quotes inside statuses

use crate::{
    follow, id, ids, post, post_as,
    streaming::{Socket, event, socket},
    text,
};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

async fn quote(who: &Person, quoted: &Value, text: &str) -> Value {
    who.post("/api/v1/statuses", [("status", text), ("quoted_status_id", id(quoted))]).await.ok()
}

async fn seen(who: &Person, status: &Value) -> Value {
    who.get(&format!("/api/v1/statuses/{}", id(status)), ()).await.ok()
}

/// The next status that changed; what was on its way before is passed over.
async fn changed(socket: &mut Socket) -> String {
    loop {
        let (name, about) = event(socket).await;
        if name == "status.update" {
            return about;
        }
    }
}

testkit::on_both_engines! {
    async fn quotes_are_listed_page_by_page_as_far_as_one_may_see_them(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let open = post(&alice, "quote me").await;
        let mut made = Vec::new();
        for n in 0..3 {
            made.push(quote(&bob, &open, &format!("quote {n}")).await);
        }
        let private = bob
            .post("/api/v1/statuses", [("status", "for my friends"), ("quoted_status_id", id(&open)), ("visibility", "private")])
            .await
            .ok();
        let path = format!("/api/v1/statuses/{}/quotes", id(&open));
        let mut listed = Vec::new();
        let mut next = Some(format!("{path}?limit=2"));
        while let Some(path) = next {
            let page = carol.get(&path, ()).await;
            next = page.link("next");
            let page = page.ok();
            assert!(page.as_array().unwrap().iter().all(|s| s["quote"]["quoted_status"]["id"] == open["id"]), "{page:#}");
            listed.extend(ids(&page));
        }
        assert_eq!(listed, [id(&made[2]), id(&made[1]), id(&made[0])], "a stranger does not see the private one");
        let newer = carol.get(&path, [("since_id", id(&made[1]))]).await.ok();
        assert_eq!(ids(&newer), [id(&made[2])]);
        assert_eq!(ids(&alice.get(&path, ()).await.ok())[0], id(&private), "whoever is quoted sees where");
        assert_eq!(private["mentions"], json!([]), "and is not named for it");
        assert_eq!(seen(&alice, &open).await["quotes_count"], 4);
        let gone = quote(&carol, &open, "a slip").await;
        assert_eq!(seen(&alice, &open).await["quotes_count"], 5);
        carol.delete(&format!("/api/v1/statuses/{}", id(&gone)), ()).await.ok();
        assert_eq!(seen(&alice, &open).await["quotes_count"], 4);
        carol.post(&format!("/api/v1/accounts/{}/block", bob.account), ()).await.ok();
        assert_eq!(carol.get(&path, ()).await.ok(), json!([]));
        server.client().get(&path, ()).await.expect(401);
        let hidden = post_as(&alice, "mine", "private").await;
        carol.get(&format!("/api/v1/statuses/{}/quotes", id(&hidden)), ()).await.expect(404);
        carol.get("/api/v1/statuses/1/quotes", ()).await.expect(404);
        carol.get("/api/v1/statuses/x/quotes", ()).await.expect(404);
        let token = server.token(&alice, "write").await;
        server.client().with_token(&token).get(&path, ()).await.expect(403);
    }

    async fn a_boost_of_a_quote_quotes_nothing_itself(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let made = quote(&bob, &post(&alice, "quote me").await, "look").await;
        let boost = carol.post(&format!("/api/v1/statuses/{}/reblog", id(&made)), ()).await.ok();
        for boost in [seen(&carol, &boost).await, boost] {
            assert_eq!((&boost["quote"], &boost["reblog"]["quote"]), (&Value::Null, &made["quote"]), "{boost:#}");
        }
        assert_eq!(made["quote"]["state"], "accepted");
    }

    async fn consent_can_be_taken_back(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        follow(&alice, &bob).await;
        let open = post(&alice, "quote me").await;
        let made = quote(&bob, &open, "look").await;
        let path = format!("/api/v1/statuses/{}/quotes/{}/revoke", id(&open), id(&made));
        let mut home = socket(&server, &alice, "user").await;
        assert_eq!(bob.post(&path, ()).await.expect(403), json!({ "error": "This action is not allowed" }));
        let revoked = alice.post(&path, ()).await.ok();
        assert_eq!(revoked["id"], made["id"]);
        assert_eq!(revoked["quote"], json!({ "state": "revoked", "quoted_status": null }));
        assert_eq!(changed(&mut home).await, id(&made));
        alice.post(&path, ()).await.ok();
        assert_eq!(seen(&alice, &open).await["quotes_count"], 0, "counted back once");
        assert_eq!(alice.get(&format!("/api/v1/statuses/{}/quotes", id(&open)), ()).await.ok(), json!([]));
        bob.delete(&format!("/api/v1/statuses/{}", id(&made)), ()).await.ok();
        assert_eq!(seen(&alice, &open).await["quotes_count"], 0, "and not again with the status");
        let other = post(&bob, "no quote").await;
        for (quoted, quoting) in [(&open, &other), (&other, &open), (&open, &made)] {
            let path = format!("/api/v1/statuses/{}/quotes/{}/revoke", id(quoted), id(quoting));
            alice.post(&path, ()).await.expect(404);
        }
        let token = server.token(&alice, "read").await;
        server.client().with_token(&token).post(&path, ()).await.expect(403);
    }

    async fn the_policy_changes_for_quotes_to_come(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        follow(&bob, &alice).await;
        let posted = post(&alice, "quote me").await;
        let first = quote(&bob, &posted, "first").await;
        let path = format!("/api/v1/statuses/{}/interaction_policy", id(&posted));
        let mut home = socket(&server, &bob, "user").await;
        let closed = alice.put(&path, [("quote_approval_policy", "nobody")]).await.ok();
        assert_eq!(closed["quote_approval"], json!({ "automatic": [], "manual": [], "current_user": "automatic" }));
        assert!(closed["edited_at"].is_null(), "nobody has edited the text");
        assert_eq!(changed(&mut home).await, id(&posted));
        assert_eq!(seen(&bob, &posted).await["quote_approval"]["current_user"], "denied");
        bob.post("/api/v1/statuses", [("status", "second"), ("quoted_status_id", id(&posted))]).await.expect(403);
        assert_eq!(seen(&bob, &first).await["quote"]["state"], "accepted", "the first one stays");
        let opened = alice.put(&path, [("quote_approval_policy", "followers")]).await.ok();
        assert_eq!(opened["quote_approval"]["automatic"], json!(["followers"]));
        quote(&bob, &posted, "second, as a follower").await;
        let default = alice.put(&path, ()).await.ok();
        assert_eq!(default["quote_approval"]["automatic"], json!(["public"]), "the person's own default");
        let odd = alice.put(&path, [("quote_approval_policy", "friends")]).await.expect(422);
        assert_eq!(odd["error"], "'friends' is not a valid quote_approval_policy");
        // Others have more of them.
        for word in ["following", "followers,following"] {
            let refused = alice.put(&path, [("quote_approval_policy", word)]).await.expect(422);
            assert_eq!(refused["error"], format!("'{word}' is not a valid quote_approval_policy"));
            alice.post("/api/v1/statuses", [("status", "x"), ("quote_approval_policy", word)]).await.expect(422);
            alice.patch("/api/v1/accounts/update_credentials", [("source[quote_policy]", word)]).await.expect(422);
        }
        bob.put(&path, [("quote_approval_policy", "nobody")]).await.expect(404);
        let private = post_as(&alice, "for friends", "private").await;
        let path = format!("/api/v1/statuses/{}/interaction_policy", id(&private));
        let kept = alice.put(&path, [("quote_approval_policy", "public")]).await.ok();
        assert_eq!(kept["quote_approval"]["automatic"], json!([]));
        bob.post("/api/v1/statuses", [("status", "leak"), ("quoted_status_id", id(&private))]).await.expect(403);
        let edit = [("status", "edited"), ("quote_approval_policy", "public")];
        alice.put(&format!("/api/v1/statuses/{}", id(&private)), edit).await.ok();
        bob.post("/api/v1/statuses", [("status", "leak"), ("quoted_status_id", id(&private))]).await.expect(403);
    }

    async fn what_few_may_see_is_not_passed_on(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let direct = post_as(&alice, "@bob hush", "direct").await;
        for who in [&alice, &bob] {
            who.post("/api/v1/statuses", [("status", "look"), ("quoted_status_id", id(&direct))]).await.expect(403);
        }
        assert_eq!(direct["quote_approval"]["current_user"], "denied");
        let private = post_as(&alice, "for friends", "private").await;
        bob.post("/api/v1/statuses", [("status", "look"), ("quoted_status_id", id(&private))]).await.expect(404);
        let own = quote(&alice, &private, "what I said").await;
        assert_eq!(own["visibility"], "private", "no wider than what it quotes");
        follow(&bob, &alice).await;
        assert_eq!(seen(&bob, &own).await["quote"]["state"], "accepted");
        let told = bob.get("/api/v1/notifications?include_filtered=true", ()).await.ok();
        assert_eq!(told.as_array().unwrap().len(), 1, "the direct one only");
    }

    async fn a_quote_says_what_became_of_it(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let open = post(&alice, "quote me").await;
        let made = quote(&bob, &open, "look").await;
        let nested = quote(&carol, &made, "look at that").await;
        assert_eq!(nested["quote"]["quoted_status"]["quote"], json!({ "state": "accepted", "quoted_status_id": open["id"] }));
        let state = async |who: &Person| seen(who, &made).await["quote"]["state"].clone();
        for (set, unset, word) in [("mute", "unmute", "muted_account"), ("block", "unblock", "blocked_account")] {
            carol.post(&format!("/api/v1/accounts/{}/{set}", alice.account), ()).await.ok();
            let shown = seen(&carol, &made).await;
            assert_eq!(shown["quote"]["state"], word);
            assert_eq!(shown["quote"]["quoted_status"]["id"], open["id"]);
            carol.post(&format!("/api/v1/accounts/{}/{unset}", alice.account), ()).await.ok();
            assert_eq!(state(&carol).await, "accepted");
        }
        alice.post(&format!("/api/v1/accounts/{}/block", carol.account), ()).await.ok();
        let shown = seen(&carol, &made).await;
        assert_eq!(shown["quote"], json!({ "state": "unauthorized", "quoted_status": null }));
        let nested = seen(&carol, &nested).await;
        let inner = &nested["quote"]["quoted_status"]["quote"];
        assert_eq!(*inner, json!({ "state": "unauthorized", "quoted_status_id": null }));
        alice.delete(&format!("/api/v1/statuses/{}", id(&open)), ()).await.ok();
        assert_eq!(seen(&bob, &made).await["quote"], json!({ "state": "deleted", "quoted_status": null }));
        let edited = bob.put(&format!("/api/v1/statuses/{}", id(&made)), [("status", "it is gone")]).await.ok();
        assert_eq!(edited["quote"]["state"], "deleted");
    }

    async fn quoters_are_told_of_an_edit_with_their_own_status(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let open = post(&alice, "quote me").await;
        let made = bob
            .post("/api/v1/statuses", [("status", "look"), ("quoted_status_id", id(&open)), ("visibility", "direct")])
            .await
            .ok();
        assert_eq!(alice.get("/api/v1/notifications", ()).await.ok(), json!([]), "private, of somebody she does not follow");
        let told = alice.get("/api/v1/notifications?include_filtered=true", ()).await.ok();
        assert_eq!((text(&told[0], "type"), id(&told[0]["status"])), ("quote", id(&made)));
        assert_eq!(alice.get("/api/v1/conversations", ()).await.ok(), json!([]), "being quoted is no message");
        alice.put(&format!("/api/v1/statuses/{}", id(&open)), [("status", "I said something else")]).await.ok();
        let told = bob.get("/api/v1/notifications", ()).await.ok();
        assert_eq!(told.as_array().unwrap().len(), 1);
        assert_eq!((text(&told[0], "type"), id(&told[0]["status"])), ("quoted_update", id(&made)));
        assert_eq!(told[0]["account"]["id"], alice.account.to_string());
        bob.put(&format!("/api/v1/statuses/{}", id(&made)), [("status", "look again")]).await.ok();
        assert_eq!(seen(&alice, &made).await["quote"]["state"], "accepted", "an edit keeps what is quoted, and who sees it");
        let history = bob.get(&format!("/api/v1/statuses/{}/history", id(&made)), ()).await.ok();
        assert_eq!(history[1]["quote"]["quoted_status"]["id"], open["id"]);
        let path = format!("/api/v1/statuses/{}/quotes/{}/revoke", id(&open), id(&made));
        alice.post(&path, ()).await.ok();
        let was = bob.delete(&format!("/api/v1/statuses/{}", id(&made)), ()).await.ok();
        assert_eq!(was["quote"]["state"], "revoked");
        assert_eq!(was["quote"]["quoted_status"]["id"], open["id"], "to be drafted again");
        assert_eq!(alice.get("/api/v1/notifications?include_filtered=true", ()).await.ok(), json!([]));
    }
}
