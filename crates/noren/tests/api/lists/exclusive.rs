//! What exclusive lists do to the home timeline

use super::{act, add, list, members, timeline};
use crate::{follow, id, ids, post};
use testkit::{Person, TestServer};

async fn home(who: &Person) -> Vec<String> {
    ids(&who.get("/api/v1/timelines/home", ()).await.ok())
}

/// The home timeline, which must be the same when it is made anew.
async fn settled_home(server: &TestServer, who: &Person) -> Vec<String> {
    let seen = home(who).await;
    domain::timelines::rebuild(server.db(), who.account).await.unwrap();
    assert_eq!(home(who).await, seen, "a rebuild says something else");
    seen
}

testkit::on_both_engines! {
    async fn members_of_an_exclusive_list_are_not_at_home(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        follow(&alice, &bob).await;
        follow(&alice, &carol).await;
        let path = list(&alice, &[("exclusive", "true")]).await;
        let early = post(&bob, "early").await;
        let own = post(&alice, "own").await;
        let other = post(&carol, "other").await;
        assert_eq!(settled_home(&server, &alice).await, [id(&other), id(&own), id(&early)]);
        add(&alice, &path, &bob).await;
        add(&alice, &path, &alice).await;
        assert_eq!(settled_home(&server, &alice).await, [id(&other), id(&own)], "added");
        let late = post(&bob, "late").await;
        let boost = bob.post(&format!("/api/v1/statuses/{}/reblog", id(&other)), ()).await.ok();
        let theirs = carol.post(&format!("/api/v1/statuses/{}/reblog", id(&late)), ()).await.ok();
        assert_eq!(settled_home(&server, &alice).await, [id(&theirs), id(&other), id(&own)], "a friend's boost is the friend's");
        assert_eq!(timeline(&alice, &path).await, [id(&boost), id(&late), id(&own), id(&early)]);
        alice.put(&path, [("exclusive", "false")]).await.ok();
        let everything = [id(&theirs), id(&boost), id(&late), id(&other), id(&own), id(&early)];
        assert_eq!(settled_home(&server, &alice).await, everything, "no longer exclusive");
        alice.put(&path, [("exclusive", "true")]).await.ok();
        assert_eq!(settled_home(&server, &alice).await, [id(&theirs), id(&other), id(&own)], "exclusive again");
        let removed = [("account_ids[]", bob.account)];
        alice.delete(&format!("{path}/accounts"), removed).await.ok();
        assert_eq!(settled_home(&server, &alice).await, everything, "removed");
        // Held back by two lists, freed when both are gone.
        let second = list(&alice, &[("exclusive", "true")]).await;
        add(&alice, &path, &bob).await;
        add(&alice, &second, &bob).await;
        alice.delete(&path, ()).await.ok();
        assert_eq!(settled_home(&server, &alice).await, [id(&theirs), id(&other), id(&own)], "one is left");
        alice.delete(&second, ()).await.ok();
        assert_eq!(settled_home(&server, &alice).await, everything, "both are gone");
        // Others' lists are nothing to one.
        let bobs = list(&bob, &[("exclusive", "true")]).await;
        follow(&bob, &carol).await;
        add(&bob, &bobs, &carol).await;
        let last = post(&carol, "last").await;
        assert_eq!(settled_home(&server, &alice).await[0], id(&last));
        assert!(!settled_home(&server, &bob).await.contains(&id(&last).to_owned()));
    }

    async fn a_request_answered_after_the_list_was_made(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        bob.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        post(&bob, "early").await;
        follow(&alice, &bob).await;
        let path = list(&alice, &[("exclusive", "true")]).await;
        add(&alice, &path, &bob).await;
        bob.post(&format!("/api/v1/follow_requests/{}/authorize", alice.account), ()).await.ok();
        assert_eq!(settled_home(&server, &alice).await, [""; 0]);
        assert_eq!(timeline(&alice, &path).await.len(), 1);
        act(&alice, &bob, "unfollow").await;
        assert_eq!(members(&alice, &path).await, [""; 0]);
        assert_eq!(settled_home(&server, &alice).await, [""; 0]);
    }
}
