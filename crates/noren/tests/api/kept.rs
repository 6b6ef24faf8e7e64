//! /api/v1/bookmarks, /api/v1/favourites: what one keeps, in the order in which one kept it.

use crate::{follow, id, ids, post, post_as};
use serde_json::json;
use testkit::{Person, TestServer};

const LISTS: [(&str, &str, &str); 2] =
    [("/api/v1/bookmarks", "bookmark", "read:bookmarks"), ("/api/v1/favourites", "favourite", "read:favourites")];

async fn act(who: &Person, status: &str, action: &str) {
    who.post(&format!("/api/v1/statuses/{status}/{action}"), ()).await.ok();
}

testkit::on_both_engines! {
    async fn lists_go_by_when_it_was_kept_and_end(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let mut posted = Vec::new();
        for n in 0..5 {
            posted.push(id(&post(&bob, &format!("number {n}")).await).to_owned());
        }
        let order = [2, 0, 4, 1, 3].map(|n| posted[n].clone());
        for (list, action, _) in LISTS {
            for status in &order {
                act(&alice, status, action).await;
                act(&alice, status, action).await;
            }
            let newest: Vec<String> = order.iter().rev().cloned().collect();
            assert_eq!(ids(&alice.get(list, ()).await.ok()), newest, "twice is once");
            let (mut seen, mut next) = (Vec::new(), Some(format!("{list}?limit=2")));
            let mut before = None;
            while let Some(path) = next {
                let page = alice.get(&path, ()).await;
                next = page.link("next");
                before = page.link("prev").or(before);
                seen.extend(ids(&page.ok()));
            }
            assert_eq!(seen, newest);
            assert_eq!(alice.get(&before.unwrap(), ()).await.ok().as_array().unwrap().len(), 2, "what was kept after it");
            assert_eq!(bob.get(list, ()).await.ok(), json!([]), "nobody else's");
            act(&alice, &order[0], &format!("un{action}")).await;
            assert_eq!(ids(&alice.get(list, ()).await.ok()), newest[..4]);
        }
    }

    async fn what_may_not_be_seen_any_more_is_left_out(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        follow(&alice, &bob).await;
        let private = post_as(&bob, "for followers", "private").await;
        let gone = post(&bob, "soon gone").await;
        let blocked = post(&carol, "before the block").await;
        for (list, action, _) in LISTS {
            for status in [&private, &gone, &blocked] {
                act(&alice, id(status), action).await;
            }
            assert_eq!(alice.get(list, ()).await.ok().as_array().unwrap().len(), 3);
        }
        bob.delete(&format!("/api/v1/statuses/{}", id(&gone)), ()).await.ok();
        carol.post(&format!("/api/v1/accounts/{}/block", alice.account), ()).await.ok();
        alice.post(&format!("/api/v1/accounts/{}/unfollow", bob.account), ()).await.ok();
        for (list, ..) in LISTS {
            assert_eq!(alice.get(list, ()).await.ok(), json!([]), "{list}");
        }
    }

    async fn only_with_the_right_scope(server: TestServer) {
        let alice = server.person("alice").await;
        for (list, _, scope) in LISTS {
            server.client().get(list, ()).await.expect(401);
            let may = server.client().with_token(&server.token(&alice, scope).await);
            may.get(list, ()).await.ok();
            let may_not = server.client().with_token(&server.token(&alice, "read:statuses write").await);
            may_not.get(list, ()).await.expect(403);
            alice.get(&format!("{list}?limit=x&max_id=y"), ()).await.expect(200);
        }
    }
}
