//! Accounts that are suspended, limited or disabled: what is left of them for others, and for themselves.

use crate::{follow, id, ids, post, text};
use domain::users::{self, Change};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

async fn change(server: &TestServer, who: &Person, change: Change) {
    users::modify(server.db(), who.user, change).await.unwrap();
}

async fn silence(server: &TestServer, who: &Person, silenced: bool) {
    change(server, who, Change { silenced: Some(silenced), ..Change::default() }).await;
}

async fn suspend(server: &TestServer, who: &Person, suspended: bool) {
    change(server, who, Change { suspended: Some(suspended), ..Change::default() }).await;
}

/// Where among the lists of strangers a status is found.
async fn found(who: &Person, status: &str) -> Vec<bool> {
    let mut found = Vec::new();
    for path in ["/api/v1/timelines/public", "/api/v1/timelines/public?local=true", "/api/v1/timelines/tag/weaving"] {
        found.push(ids(&who.get(path, ()).await.ok()).iter().any(|i| i == status));
    }
    let searched = who.get("/api/v2/search?q=indigo&type=statuses", ()).await.ok();
    found.push(ids(&searched["statuses"]).iter().any(|i| i == status));
    found
}

async fn told(who: &Person) -> Vec<Value> {
    who.get("/api/v1/notifications", ()).await.ok().as_array().unwrap().clone()
}

testkit::on_both_engines! {
    async fn the_limited_are_heard_by_who_follows_them(server: TestServer) {
        let (alice, follower) = (server.person("alice").await, server.person("follower").await);
        let stranger = server.person("stranger").await;
        follow(&follower, &alice).await;
        silence(&server, &alice, true).await;
        let status = post(&alice, "indigo for @follower and @stranger #weaving").await;
        assert_eq!(found(&stranger, id(&status)).await, [false; 4]);
        assert_eq!(found(&follower, id(&status)).await, [true; 4]);
        assert_eq!(found(&alice, id(&status)).await, [true; 4], "they see themselves");
        let anonymous = server.client().get("/api/v1/timelines/public", ()).await.ok();
        assert_eq!(anonymous, json!([]));
        assert_eq!(ids(&follower.get("/api/v1/timelines/home", ()).await.ok()), [id(&status)]);
        // Who looks for them finds them.
        stranger.get(&format!("/api/v1/statuses/{}", id(&status)), ()).await.ok();
        let account = stranger.get(&format!("/api/v1/accounts/{}", alice.account), ()).await.ok();
        assert_eq!(account["limited"], true);
        assert_eq!(ids(&stranger.get(&format!("/api/v1/accounts/{}/statuses", alice.account), ()).await.ok()), [id(&status)]);
        // Only followers are told of what they do.
        let theirs = post(&stranger, "about looms").await;
        alice.post(&format!("/api/v1/statuses/{}/favourite", id(&theirs)), ()).await.ok();
        alice.post(&format!("/api/v1/statuses/{}/reblog", id(&theirs)), ()).await.ok();
        follow(&alice, &stranger).await;
        assert_eq!(told(&stranger).await, Vec::<Value>::new());
        let told_follower = told(&follower).await;
        assert_eq!(told_follower.len(), 1);
        assert_eq!(text(&told_follower[0], "type"), "mention");

        silence(&server, &alice, false).await;
        assert_eq!(found(&stranger, id(&status)).await, [true; 4]);
        post(&alice, "hello @stranger").await;
        assert_eq!(told(&stranger).await.len(), 1);
    }

    async fn nothing_of_the_suspended_is_shown_until_it_is_undone(server: TestServer) {
        let (alice, follower) = (server.person("alice").await, server.person("follower").await);
        let stranger = server.person("stranger").await;
        follow(&follower, &alice).await;
        follow(&alice, &stranger).await;
        let status = post(&alice, "indigo @stranger #weaving").await;
        let boosted = follower.post(&format!("/api/v1/statuses/{}/reblog", id(&status)), ()).await.ok();
        let theirs = post(&stranger, "looms").await;
        alice.post(&format!("/api/v1/statuses/{}/favourite", id(&theirs)), ()).await.ok();
        assert_eq!(told(&stranger).await.len(), 3);
        suspend(&server, &alice, true).await;

        assert_eq!(found(&stranger, id(&status)).await, [false; 4]);
        assert_eq!(follower.get("/api/v1/timelines/home", ()).await.ok(), json!([]), "nor what they boosted of hers");
        for path in [id(&status).to_owned(), id(&boosted).to_owned(), format!("{}/context", id(&status))] {
            stranger.get(&format!("/api/v1/statuses/{path}"), ()).await.expect(404);
        }
        assert_eq!(told(&stranger).await, Vec::<Value>::new());
        let unread = stranger.get("/api/v1/notifications/unread_count", ()).await.ok();
        assert_eq!(unread["count"], 0);
        let account = stranger.get(&format!("/api/v1/accounts/{}", alice.account), ()).await.ok();
        assert_eq!((&account["suspended"], &account["note"]), (&json!(true), &json!("")));
        let faved = stranger.get(&format!("/api/v1/statuses/{}/favourited_by", id(&theirs)), ()).await.ok();
        assert_eq!(faved, json!([]));
        let followers = stranger.get(&format!("/api/v1/accounts/{}/followers", stranger.account), ()).await.ok();
        assert_eq!(followers, json!([]));
        let people = stranger.get("/api/v2/search?q=alice&type=accounts", ()).await.ok();
        assert_eq!(people["accounts"], json!([]));
        // She can do nothing.
        for refused in [
            alice.get("/api/v1/timelines/home", ()).await,
            alice.post("/api/v1/statuses", [("status", "I am still here")]).await,
        ] {
            assert_eq!(text(&refused.expect(403), "error"), "Your login is currently disabled");
        }
        follower.post(&format!("/api/v1/accounts/{}/follow", alice.account), ()).await.expect(404);

        suspend(&server, &alice, false).await;
        assert_eq!(found(&stranger, id(&status)).await, [true; 4]);
        assert_eq!(told(&stranger).await.len(), 3);
        alice.get("/api/v1/timelines/home", ()).await.ok();
    }

    async fn the_disabled_stay_to_be_read(server: TestServer) {
        let (alice, stranger) = (server.person("alice").await, server.person("stranger").await);
        let status = post(&alice, "indigo #weaving").await;
        change(&server, &alice, Change { disabled: Some(true), ..Change::default() }).await;
        assert_eq!(found(&stranger, id(&status)).await, [true; 4]);
        let refused = alice.get("/api/v1/timelines/home", ()).await.expect(403);
        assert_eq!(text(&refused, "error"), "Your login is currently disabled");
    }

    async fn who_may_not_write_does_not_write_later(server: TestServer) {
        let alice = server.person("alice").await;
        let later = domain::Time::now().plus(std::time::Duration::from_secs(3600)).iso();
        let waiting = alice.post("/api/v1/statuses", [("status", "later"), ("scheduled_at", &later)]).await.ok();
        let scheduled = id(&waiting).parse().unwrap();
        suspend(&server, &alice, true).await;
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE scheduled_statuses SET scheduled_at = 1", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let site = &server.parts().site;
        assert!(domain::scheduled::publish_due(server.db(), site, scheduled).await.unwrap().is_none());
        suspend(&server, &alice, false).await;
        assert_eq!(alice.get("/api/v1/scheduled_statuses", ()).await.ok(), json!([]));
        assert_eq!(alice.get("/api/v1/timelines/home", ()).await.ok(), json!([]));
    }

    async fn the_only_owner_is_not_sent_away(server: TestServer) {
        let owner = users::NewUser { role: users::Role::Owner, ..users::NewUser::named("owner") };
        let owner = server.person_with(owner, "read").await;
        let suspended = Change { suspended: Some(true), ..Change::default() };
        assert!(users::modify(server.db(), owner.user, suspended.clone()).await.is_err());
        owner.get("/api/v1/timelines/home", ()).await.ok();
        // One who is suspended does not count.
        let second = users::NewUser { role: users::Role::Owner, ..users::NewUser::named("second") };
        let second = server.person_with(second, "read").await;
        users::modify(server.db(), second.user, suspended.clone()).await.unwrap();
        assert!(users::modify(server.db(), owner.user, suspended).await.is_err());
    }
}
