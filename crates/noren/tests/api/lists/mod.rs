//! /api/v1/lists, /api/v1/timelines/list

mod exclusive;

use crate::{follow, id, ids, post, post_as};
use domain::db::Ids;
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// Makes a list and answers its path.
async fn list(owner: &Person, fields: &[(&str, &str)]) -> String {
    let mut all = vec![("title".to_owned(), "Friends".to_owned())];
    all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    format!("/api/v1/lists/{}", id(&owner.post("/api/v1/lists", all).await.ok()))
}

async fn add(owner: &Person, list: &str, whom: &Person) {
    let added = owner.post(&format!("{list}/accounts"), [("account_ids[]", whom.account)]).await.ok();
    assert_eq!(added, json!({}));
}

async fn members(owner: &Person, list: &str) -> Vec<String> {
    ids(&owner.get(&format!("{list}/accounts"), ()).await.ok())
}

async fn timeline(owner: &Person, list: &str) -> Vec<String> {
    ids(&owner.get(&list.replace("/lists/", "/timelines/list/"), ()).await.ok())
}

async fn act(who: &Person, whom: &Person, what: &str) {
    who.post(&format!("/api/v1/accounts/{}/{what}", whom.account), ()).await.ok();
}

async fn reply(who: &Person, to: &Value) -> String {
    let fields = [("status", "a reply"), ("in_reply_to_id", id(to))];
    id(&who.post("/api/v1/statuses", fields).await.ok()).to_owned()
}

fn names(people: &[&Person]) -> Vec<String> {
    people.iter().map(|p| p.account.to_string()).collect()
}

testkit::on_both_engines! {
    async fn they_are_made_changed_and_deleted(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let made = alice.post("/api/v1/lists", [("title", " 友だち ")]).await.ok();
        let path = format!("/api/v1/lists/{}", id(&made));
        let expected = json!({ "id": id(&made), "title": "友だち", "replies_policy": "list", "exclusive": false });
        assert_eq!(made, expected);
        assert_eq!(alice.get("/api/v1/lists", ()).await.ok(), json!([made]));
        assert_eq!(alice.get(&path, ()).await.ok(), made);
        let changed = alice.put(&path, [("replies_policy", "none"), ("exclusive", "1")]).await.ok();
        assert_eq!(changed, json!({ "id": id(&made), "title": "友だち", "replies_policy": "none", "exclusive": true }));
        let changed = alice.put(&path, json!({ "title": "t", "replies_policy": "followed", "exclusive": false })).await.ok();
        assert_eq!(changed, json!({ "id": id(&made), "title": "t", "replies_policy": "followed", "exclusive": false }));
        for reply in [bob.get(&path, ()).await, bob.put(&path, [("title", "x")]).await, bob.delete(&path, ()).await] {
            assert_eq!(reply.expect(404)["error"], "Record not found");
        }
        for garbage in ["/api/v1/lists/0", "/api/v1/lists/x", "/api/v1/lists/99999999999999999999"] {
            alice.get(garbage, ()).await.expect(404);
            alice.get(&garbage.replace("/lists/", "/timelines/list/"), ()).await.expect(404);
        }
        assert_eq!(alice.get(&path, ()).await.ok()["title"], "t", "nobody else changed it");
        assert_eq!(alice.delete(&path, ()).await.ok(), json!({}));
        alice.delete(&path, ()).await.expect(404);
        assert_eq!(alice.get("/api/v1/lists", ()).await.ok(), json!([]));
    }

    async fn what_is_wrong_is_said(server: TestServer) {
        let alice = server.person("alice").await;
        let path = list(&alice, &[]).await;
        let long = "あ".repeat(257);
        for (fields, error) in [
            (json!({}), "Validation failed: Title can't be blank"),
            (json!({ "title": " " }), "Validation failed: Title can't be blank"),
            (json!({ "title": long }), "Validation failed: Title is too long (maximum is 256 characters)"),
            (json!({ "title": "x", "replies_policy": "some" }), "'some' is not a valid replies_policy"),
        ] {
            assert_eq!(alice.post("/api/v1/lists", fields).await.expect(422)["error"], error);
        }
        for fields in [json!({ "title": "" }), json!({ "title": "x", "replies_policy": "all" })] {
            alice.put(&path, fields).await.expect(422);
        }
        assert_eq!(alice.get(&path, ()).await.ok()["title"], "Friends");
        let reading = alice.with_token(&server.token(&alice, "read:lists write:statuses").await);
        assert_eq!(ids(&reading.get("/api/v1/lists", ()).await.ok()).len(), 1);
        let wrong = [
            reading.post("/api/v1/lists", [("title", "x")]).await,
            reading.put(&path, [("title", "x")]).await,
            reading.delete(&path, ()).await,
            reading.post(&format!("{path}/accounts"), ()).await,
            reading.delete(&format!("{path}/accounts"), ()).await,
        ];
        for reply in wrong {
            assert_eq!(reply.expect(403)["error"], "This action is outside the authorized scopes");
        }
        let writing = alice.with_token(&server.token(&alice, "write:lists read:statuses").await);
        let accounts = format!("/api/v1/accounts/{}/lists", alice.account);
        for path in ["/api/v1/lists", &path, &format!("{path}/accounts"), &path.replace("lists", "timelines/list"), &accounts] {
            writing.get(path, ()).await.expect(403);
            server.client().get(path, ()).await.expect(401);
        }
    }

    async fn there_are_fifty_at_most(server: TestServer) {
        let alice = server.person("alice").await;
        for _ in 0..50 {
            list(&alice, &[]).await;
        }
        let error = alice.post("/api/v1/lists", [("title", "one more")]).await.expect(422);
        assert_eq!(error["error"], "Validation failed: You have reached the maximum number of lists");
        assert_eq!(ids(&alice.get("/api/v1/lists", ()).await.ok()).len(), 50);
    }

    async fn only_whom_one_follows_or_asks_can_be_in_one(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let path = list(&alice, &[]).await;
        let accounts = format!("{path}/accounts");
        alice.post(&accounts, [("account_ids[]", bob.account)]).await.expect(404);
        follow(&alice, &bob).await;
        // All or none.
        for other in [carol.account.to_string(), "1".into(), "x".into()] {
            let both = json!({ "account_ids": [bob.account.to_string(), other] });
            assert_eq!(alice.post(&accounts, both).await.expect(404)["error"], "Record not found");
        }
        assert_eq!(members(&alice, &path).await, [""; 0]);
        carol.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        follow(&alice, &carol).await;
        let three = [bob.account, carol.account, alice.account, bob.account].map(|a| a.to_string());
        assert_eq!(alice.post(&accounts, json!({ "account_ids": three })).await.ok(), json!({}));
        assert_eq!(members(&alice, &path).await, names(&[&alice, &carol, &bob]));
        let error = alice.post(&accounts, [("account_ids[]", bob.account)]).await.expect(422);
        assert_eq!(error["error"], "Validation failed: Account has already been taken");
        assert_eq!(alice.post(&accounts, ()).await.ok(), json!({}));
        bob.post(&accounts, [("account_ids[]", bob.account)]).await.expect(404);
        bob.delete(&accounts, [("account_ids[]", bob.account)]).await.expect(404);
        bob.get(&accounts, ()).await.expect(404);
        assert_eq!(members(&alice, &path).await.len(), 3);
        let gone = json!({ "account_ids": [bob.account.to_string(), "1", "x"] });
        assert_eq!(alice.delete(&accounts, gone).await.ok(), json!({}));
        assert_eq!(members(&alice, &path).await, names(&[&alice, &carol]));
    }

    async fn members_are_paged(server: TestServer) {
        let alice = server.person("alice").await;
        let path = list(&alice, &[]).await;
        let mut all = Vec::new();
        for n in 0..5 {
            let one = server.person(&format!("friend{n}")).await;
            follow(&alice, &one).await;
            add(&alice, &path, &one).await;
            all.insert(0, one.account.to_string());
        }
        let (mut seen, mut next, mut last) = (Vec::new(), Some(format!("{path}/accounts?limit=2")), None);
        while let Some(link) = next {
            let page = alice.get(&link, ()).await;
            (next, last) = (page.link("next"), page.link("prev").or(last));
            seen.extend(ids(&page.json));
        }
        assert_eq!(seen, all);
        assert_eq!(ids(&alice.get(&last.unwrap(), ()).await.ok()), all[..2]);
        let whole = alice.get(&format!("{path}/accounts?limit=0"), ()).await;
        assert!(whole.link("next").is_none() && whole.link("prev").is_none());
        assert_eq!(ids(&whole.ok()), all);
        assert_eq!(alice.get(&format!("{path}/accounts"), ()).await.ok().as_array().unwrap().len(), 5);
    }

    async fn a_thousand_members_at_most(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        follow(&alice, &bob).await;
        let path = list(&alice, &[]).await;
        let tx = server.db().begin().await.unwrap();
        let many = Ids::raw(1..=999);
        let accounts = "INSERT INTO accounts (id, username, uri, url, created_at) SELECT e.value, 'n' || e.value, 'u' || e.value, '', 0 \
            FROM unnest($1::bigint[]) AS e(value)";
        tx.exec(accounts, &[&many]).await.unwrap();
        let members = "INSERT INTO list_members (id, list_id, owner_id, account_id) SELECT e.value, $2::bigint, $3::bigint, e.value \
            FROM unnest($1::bigint[]) AS e(value)";
        let list: i64 = path.rsplit('/').next().unwrap().parse().unwrap();
        tx.exec(members, &[&many, &list, &alice.account]).await.unwrap();
        tx.commit().await.unwrap();
        let both = json!({ "account_ids": [alice.account.to_string(), bob.account.to_string()] });
        let error = alice.post(&format!("{path}/accounts"), both).await.expect(422);
        assert_eq!(error["error"], "Validation failed: A list can have 1000 accounts at most");
        add(&alice, &path, &bob).await;
        let whole = alice.get(&format!("{path}/accounts?limit=0"), ()).await.ok();
        assert_eq!(whole.as_array().unwrap().len(), 1000);
    }

    async fn who_parts_leaves(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let (one, two) = (list(&alice, &[]).await, list(&alice, &[]).await);
        let containing = async |whom: &Person| {
            let found = alice.get(&format!("/api/v1/accounts/{}/lists", whom.account), ()).await.ok();
            ids(&found).into_iter().map(|id| format!("/api/v1/lists/{id}")).collect::<Vec<_>>()
        };
        let both = [one.clone(), two.clone()];
        for part in ["unfollow", "block"] {
            follow(&alice, &bob).await;
            for path in &both {
                add(&alice, path, &bob).await;
            }
            assert_eq!(containing(&bob).await, both);
            act(&alice, &bob, part).await;
            assert_eq!(containing(&bob).await, [""; 0], "{part}");
            assert_eq!(members(&alice, &one).await, [""; 0], "{part}");
        }
        // Who is asked may be in a list before and after the answer, unless it is no.
        carol.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        for (answer, left) in [("authorize", 1), ("reject", 0)] {
            follow(&alice, &carol).await;
            add(&alice, &one, &carol).await;
            carol.post(&format!("/api/v1/follow_requests/{}/{answer}", alice.account), ()).await.ok();
            assert_eq!(members(&alice, &one).await.len(), left, "{answer}");
            act(&alice, &carol, "unfollow").await;
            assert_eq!(members(&alice, &one).await, [""; 0]);
        }
        follow(&alice, &carol).await;
        add(&alice, &one, &carol).await;
        act(&carol, &alice, "block").await;
        assert_eq!(containing(&carol).await, [""; 0]);
        alice.get("/api/v1/accounts/1/lists", ()).await.expect(404);
        add(&alice, &one, &alice).await;
        assert_eq!(containing(&alice).await, both[..1]);
        let theirs = bob.get(&format!("/api/v1/accounts/{}/lists", alice.account), ()).await.ok();
        assert_eq!(theirs, json!([]), "not one's own lists");
    }

    async fn deleted_accounts_leave_no_trace(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        follow(&alice, &bob).await;
        let path = list(&alice, &[]).await;
        add(&alice, &path, &bob).await;
        post(&bob, "soon gone").await;
        domain::users::delete(server.db(), bob.user).await.unwrap();
        assert_eq!(members(&alice, &path).await, [""; 0]);
        assert_eq!(timeline(&alice, &path).await, [""; 0]);
        domain::users::delete(server.db(), alice.user).await.unwrap();
    }
}

testkit::on_both_engines! {
    async fn a_timeline_has_what_its_members_post(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let dave = server.person("dave").await;
        follow(&alice, &bob).await;
        follow(&alice, &carol).await;
        let path = list(&alice, &[]).await;
        let before = post(&bob, "before").await;
        add(&alice, &path, &bob).await;
        let private = post_as(&bob, "for followers", "private").await;
        post_as(&bob, "@alice for you", "direct").await;
        post(&carol, "in no list").await;
        let strange = post(&dave, "boost me").await;
        let boost = bob.post(&format!("/api/v1/statuses/{}/reblog", id(&strange)), ()).await.ok();
        assert_eq!(timeline(&alice, &path).await, [id(&boost), id(&private), id(&before)]);
        alice.post(&format!("/api/v1/accounts/{}/follow", bob.account), [("reblogs", "false")]).await.ok();
        assert_eq!(timeline(&alice, &path).await, [id(&private), id(&before)]);
        alice.post(&format!("/api/v1/accounts/{}/follow", bob.account), [("reblogs", "true")]).await.ok();
        act(&alice, &dave, "mute").await;
        assert_eq!(timeline(&alice, &path).await, [id(&private), id(&before)], "boosts of who is muted");
        act(&alice, &bob, "mute").await;
        assert_eq!(timeline(&alice, &path).await, [""; 0]);
        act(&alice, &bob, "unmute").await;
        act(&bob, &alice, "block").await;
        assert_eq!(timeline(&alice, &path).await, [""; 0]);
        let stranger = dave.get(&path.replace("/lists/", "/timelines/list/"), ()).await;
        assert_eq!(stranger.expect(404)["error"], "Record not found");
    }

    async fn who_has_not_answered_is_not_shown_yet(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        bob.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        follow(&alice, &bob).await;
        let path = list(&alice, &[]).await;
        add(&alice, &path, &bob).await;
        add(&alice, &path, &alice).await;
        let theirs = post(&bob, "public all the same").await;
        let own = post_as(&alice, "my own", "private").await;
        assert_eq!(timeline(&alice, &path).await, [id(&own)]);
        bob.post(&format!("/api/v1/follow_requests/{}/authorize", alice.account), ()).await.ok();
        assert_eq!(timeline(&alice, &path).await, [id(&own), id(&theirs)]);
    }

    async fn replies_are_shown_as_the_policy_says(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let (dave, erin) = (server.person("dave").await, server.person("erin").await);
        for whom in [&bob, &carol, &dave] {
            follow(&alice, whom).await;
        }
        let mine = post(&alice, "mine").await;
        let (member, followed, stranger) = (post(&carol, "member").await, post(&dave, "followed").await, post(&erin, "stranger").await);
        let own = post(&bob, "bob's own").await;
        let to_me = reply(&bob, &mine).await;
        let to_self = reply(&bob, &own).await;
        let to_member = reply(&bob, &member).await;
        let to_followed = reply(&bob, &followed).await;
        reply(&bob, &stranger).await;
        let always = [to_self.as_str(), &to_me, id(&own)];
        for (policy, more) in [("none", vec![]), ("list", vec![to_member.as_str()]), ("followed", vec![to_followed.as_str(), &to_member])] {
            let path = list(&alice, &[("replies_policy", policy)]).await;
            add(&alice, &path, &bob).await;
            add(&alice, &path, &carol).await;
            let expected: Vec<&str> = more.into_iter().chain(always).chain([id(&member)]).collect();
            assert_eq!(timeline(&alice, &path).await, expected, "{policy}");
        }
    }

    async fn pages_of_a_timeline_go_both_ways(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let path = list(&alice, &[]).await;
        let mut all = Vec::new();
        for who in [&bob, &carol] {
            follow(&alice, who).await;
            add(&alice, &path, who).await;
        }
        for n in 0..10 {
            let who = if n % 3 == 0 { &bob } else { &carol };
            all.insert(0, id(&post(who, &format!("post {n}")).await).to_owned());
        }
        let path = path.replace("/lists/", "/timelines/list/");
        let (mut seen, mut next, mut last) = (Vec::new(), Some(format!("{path}?limit=4")), None);
        while let Some(link) = next {
            let page = alice.get(&link, ()).await;
            (next, last) = (page.link("next"), page.link("prev").or(last));
            seen.extend(ids(&page.json));
        }
        assert_eq!(seen, all);
        assert_eq!(ids(&alice.get(&last.unwrap(), ()).await.ok()), all[4..8]);
        let since = alice.get(&path, [("since_id", all[5].as_str()), ("limit", "2")]).await.ok();
        assert_eq!(ids(&since), all[..2]);
        let between = alice.get(&path, [("min_id", all[8].as_str()), ("max_id", all[2].as_str())]).await.ok();
        assert_eq!(ids(&between), all[3..8]);
    }
}
