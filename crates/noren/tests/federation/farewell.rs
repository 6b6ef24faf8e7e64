//! Servers that are blocked while people here and there follow each other: who did is told that it is over, and nothing else.

use crate::peer::{Came, Peer, Somebody, followed, local_uri, with_a_peer};
use crate::trust::{block, in_force};
use crate::{find, follow, id, post_as, relationship};
use domain::deliveries::{Bond, News, Parting};
use domain::domain_blocks::{self, DomainBlock, Severity};
use domain::ids::{FollowId, JobId};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::{Person, TestServer, settle_all};

/// What came since the last time, in order: what was said, by whom, and which follow it ends: its name, who follows whom.
fn ends(peer: &Peer) -> Vec<[String; 5]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |a: Value| {
        let (verb, follow) = (text(&a["type"]), &a["object"]);
        [verb, text(&a["actor"]), text(&follow["id"]), text(&follow["actor"]), text(&follow["object"])]
    };
    let mut lines: Vec<_> = std::mem::take(&mut *peer.received.lock().unwrap()).into_iter().map(line).collect();
    lines.sort();
    lines
}

fn line(verb: &str, (by, name): (&str, &str), (follower, followed): (&str, &str)) -> [String; 5] {
    [verb, by, name, follower, followed].map(str::to_owned)
}

/// Where things come from now on.
fn inboxes(peer: &Peer) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let inboxes = seen.clone();
    let look = move |came: &Came| {
        if came.method == Method::POST {
            seen.lock().unwrap().push(came.target.clone());
        }
        None
    };
    assert!(peer.judge.set(Box::new(look)).is_ok());
    inboxes
}

async fn asks(server: &TestServer, (peer, who): (&Peer, &Somebody), name: &str, whom: &Person) -> String {
    let follow = peer.activity(who, ("Follow", name), json!(local_uri(server, whom)));
    peer.send(who, server, &follow).await;
    follow["id"].as_str().unwrap().to_owned()
}

/// Bob asks to follow somebody. The name of his wish.
async fn wishes(server: &TestServer, peer: &Peer, bob: &Person, name: &str) -> String {
    let found = find(bob, &format!("{name}@{}", peer.host())).await;
    bob.post(&format!("/api/v1/accounts/{}/follow", id(&found)), ()).await.ok();
    server.settle().await;
    peer.last("Follow")["id"].as_str().unwrap().to_owned()
}

with_a_peer! {
    async fn who_is_blocked_hears_that_follows_are_over_and_nothing_else(server, peer, bob) {
        let carol = server.person("carol").await;
        carol.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        let [ann, eve, ida, zed] = ["ann", "eve", "ida", "zed"].map(|name| peer.somebody(name));
        let by_ann = asks(&server, (&peer, &ann), "1", &bob).await;
        let by_zed = asks(&server, (&peer, &zed), "2", &carol).await;
        let eve_here = followed(&server, &peer, &bob, (&eve, "eve")).await;
        let of_eve = peer.last("Follow")["id"].as_str().unwrap().to_owned();
        let of_ida = wishes(&server, &peer, &bob, "ida").await;
        ends(&peer);
        peer.asked.lock().unwrap().clear();
        let inboxes = inboxes(&peer);
        block(&server, &peer, Severity::Suspend, |_| {}).await;
        let (b, c) = (local_uri(&server, &bob), local_uri(&server, &carol));
        let mut expected = vec![
            line("Reject", (&b, &by_ann), (&ann.uri, &b)),
            line("Reject", (&c, &by_zed), (&zed.uri, &c)),
            line("Undo", (&b, &of_eve), (&b, &eve.uri)),
            line("Undo", (&b, &of_ida), (&b, &ida.uri)),
        ];
        expected.sort();
        assert_eq!(ends(&peer), expected);
        let mut seen = std::mem::take(&mut *inboxes.lock().unwrap());
        seen.sort();
        assert_eq!(seen, ["ann", "eve", "ida", "zed"].map(|name| format!("/users/{name}/inbox")));

        // Nothing else comes, and nobody is asked for anything.
        let words = format!("@ann@{0} @eve@{0} hello", peer.host());
        let posted = post_as(&bob, &words, "public").await;
        post_as(&bob, &words, "direct").await;
        bob.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", &words)]).await.ok();
        bob.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        bob.patch("/api/v1/accounts/update_credentials", [("display_name", "Bob")]).await.ok();
        bob.post(&format!("/api/v1/accounts/{eve_here}/follow"), ()).await.expect(404);
        bob.post(&format!("/api/v1/accounts/{eve_here}/block"), ()).await;
        bob.post(&format!("/api/v1/accounts/{eve_here}/unblock"), ()).await;
        server.settle().await;
        assert_eq!(ends(&peer), Vec::<[String; 5]>::new());
        assert_eq!(*peer.asked.lock().unwrap(), Vec::<String>::new());

        // Afterwards all think the same: nobody follows, whoever wants to can.
        domain_blocks::unblock(server.db(), peer.host()).await.unwrap();
        in_force(&server).await;
        let seen = relationship(&bob, &eve_here).await;
        assert_eq!((&seen["following"], &seen["requested"]), (&json!(false), &json!(false)));
        post_as(&bob, "is anybody there?", "public").await;
        server.settle().await;
        assert_eq!(ends(&peer), Vec::<[String; 5]>::new());
        asks(&server, (&peer, &ann), "3", &bob).await;
        let again = wishes(&server, &peer, &bob, "eve").await;
        assert_ne!(again, of_eve);
        post_as(&bob, "hello ann", "public").await;
        server.settle().await;
        let verbs: Vec<String> = ends(&peer).into_iter().map(|[verb, ..]| verb).collect();
        assert_eq!(verbs, ["Accept", "Create", "Follow"]);
    }

    async fn who_is_blocked_and_forgotten_at_once_is_told_all_the_same(server, peer, bob) {
        let ann = peer.somebody("ann");
        let by_ann = asks(&server, (&peer, &ann), "1", &bob).await;
        ends(&peer);
        let rule = DomainBlock { severity: Severity::Suspend, ..DomainBlock::named(peer.host()) };
        domain_blocks::block(server.db(), &rule).await.unwrap();
        assert_eq!(domain_blocks::purge(server.db(), peer.host(), |_| {}).await.unwrap(), 1);
        in_force(&server).await;
        let here = local_uri(&server, &bob);
        assert_eq!(ends(&peer), [line("Reject", (&here, &by_ann), (&ann.uri, &here))]);
        let conn = server.db().read().await.unwrap();
        assert!(domain::accounts::remote::by_uri(&conn, &ann.uri).await.unwrap().is_none());
    }

    async fn a_farewell_that_comes_late_ends_no_later_follow(server, peer, bob) {
        let ann = peer.somebody("ann");
        let undone = async |name: &str| {
            let follow = peer.activity(&ann, ("Follow", name), json!(local_uri(&server, &bob)));
            peer.send(&ann, &server, &peer.activity(&ann, ("Undo", &format!("u{name}")), follow)).await;
        };
        asks(&server, (&peer, &ann), "1", &bob).await;
        let conn = server.db().read().await.unwrap();
        let account = domain::accounts::remote::by_uri(&conn, &ann.uri).await.unwrap().unwrap().id;
        drop(conn);
        let farewell = async |number: i64| {
            let (uri, inbox) = (format!("{}/activities/0", peer.base), format!("{}/inbox", ann.uri));
            let bond = Bond { account, target: bob.account, uri, id: FollowId(number) };
            let news = News::Parted { parting: Parting { bond, other: ann.uri.clone(), inbox } };
            federation::deliver::tell(&server.parts().federation, JobId(1), &news).await.unwrap();
            server.settle().await;
            peer.told("Reject").len()
        };
        assert_eq!(farewell(1).await, 0);
        undone("1").await;
        assert_eq!(farewell(2).await, 1);
    }
}

testkit::between_two_servers! {
    async fn who_is_blocked_knows_that_nobody_follows(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let there = follow((&bob, &b), (&alice, &a)).await;
        let here = follow((&alice, &a), (&bob, &b)).await;
        let rule = DomainBlock { severity: Severity::Suspend, ..DomainBlock::named(&b.parts().site.domain) };
        domain_blocks::block(a.db(), &rule).await.unwrap();
        in_force(&a).await;
        settle_all(&[&a, &b]).await;
        let seen = relationship(&bob, &there).await;
        assert_eq!((&seen["following"], &seen["followed_by"]), (&json!(false), &json!(false)));
        domain_blocks::unblock(a.db(), &rule.domain).await.unwrap();
        in_force(&a).await;
        let seen = relationship(&alice, &here).await;
        assert_eq!((&seen["following"], &seen["followed_by"]), (&json!(false), &json!(false)));
        follow((&bob, &b), (&alice, &a)).await;
        follow((&alice, &a), (&bob, &b)).await;
    }
}
