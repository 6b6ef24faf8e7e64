//! Three servers: what one says reaches the others as far as it should, and no farther.

use crate::{find, follow, home, id, post_as, relationship, search, text};
use domain::statuses::remote;
use serde_json::{Value, json};
use testkit::{Engine, Person, TestServer, settle_all};

/// Makes of each function two tests, one on each engine, each with three servers that know nothing of each other yet.
macro_rules! among_three {
    ($($(#[$meta:meta])* async fn $name:ident($a:ident, $b:ident, $c:ident) $body:block)+) => { $(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn body(engine: Engine) {
                let Some($a) = TestServer::start_reachable(engine).await else { return };
                let Some($b) = TestServer::start_reachable(engine).await else { return };
                let Some($c) = TestServer::start_reachable(engine).await else { return };
                $body
                settle_all(&[&$a, &$b, &$c]).await;
                for server in [$a, $b, $c] {
                    server.finish().await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body(Engine::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body(Engine::Postgres).await;
            }
        }
    )+ };
}

/// Whether a server has the post of this name.
async fn has(server: &TestServer, post: &Value) -> bool {
    let conn = server.db().read().await.unwrap();
    remote::by_uri(&conn, post["uri"].as_str().unwrap()).await.unwrap().is_some()
}

/// The id of a post as `who` finds it, fetched from wherever it is.
async fn found(who: &Person, post: &Value) -> String {
    id(&search(who, post["uri"].as_str().unwrap()).await["statuses"][0]).to_owned()
}

async fn reply(who: &Person, to: &str, words: &str) -> Value {
    who.post("/api/v1/statuses", [("status", words), ("in_reply_to_id", to)]).await.ok()
}

async fn texts(who: &Person) -> Vec<String> {
    home(who).await.iter().map(|s| text(if s["reblog"].is_null() { s } else { &s["reblog"] })).collect()
}

among_three! {
    async fn answers_go_to_whom_they_answer_and_to_followers(a, b, c) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, c.person("carol").await);
        follow((&bob, &b), (&alice, &a)).await;
        let post = post_as(&alice, "a question", "public").await;
        settle_all(&[&a, &b, &c]).await;
        assert_eq!((has(&b, &post).await, has(&c, &post).await), (true, false));
        let answer = reply(&carol, &found(&carol, &post).await, "an answer").await;
        settle_all(&[&a, &b, &c]).await;
        // Alice is told, and shows it to everybody who asks; nobody sends it to Bob, who follows only her.
        assert_eq!((has(&a, &answer).await, has(&b, &answer).await), (true, false));
        let thread = alice.get(&format!("/api/v1/statuses/{}/context", id(&post)), ()).await.ok();
        assert_eq!(thread["descendants"].as_array().unwrap().iter().map(text).collect::<Vec<_>>(), ["an answer"]);
        assert_eq!(texts(&bob).await, ["a question"]);

        // From here on he follows Carol too: her next answer comes to him.
        follow((&bob, &b), (&carol, &c)).await;
        let next = reply(&carol, &found(&carol, &post).await, "another answer").await;
        settle_all(&[&a, &b, &c]).await;
        assert_eq!((has(&a, &next).await, has(&b, &next).await), (true, true));
        assert_eq!(texts(&bob).await, ["another answer", "a question"]);
    }

    async fn an_answer_brings_what_it_answers(a, b, c) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, c.person("carol").await);
        follow((&bob, &b), (&carol, &c)).await;
        let post = post_as(&alice, "a question", "public").await;
        settle_all(&[&a, &b, &c]).await;
        let answer = reply(&carol, &found(&carol, &post).await, "an answer").await;
        settle_all(&[&a, &b, &c]).await;
        // The parent was fetched where it is from, and stands above; Bob does not follow her.
        assert_eq!((has(&b, &answer).await, has(&b, &post).await), (true, true));
        let here = found(&bob, &answer).await;
        let thread = bob.get(&format!("/api/v1/statuses/{here}/context"), ()).await.ok();
        assert_eq!(thread["ancestors"].as_array().unwrap().iter().map(text).collect::<Vec<_>>(), ["a question"]);
        assert_eq!(thread["ancestors"][0]["account"]["acct"], a.handle("alice"));
        let alice_there = find(&bob, &a.handle("alice")).await;
        assert_eq!(relationship(&bob, id(&alice_there)).await["following"], false);
    }

    async fn boosts_of_boosts_lead_to_the_original(a, b, c) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, c.person("carol").await);
        follow((&bob, &b), (&carol, &c)).await;
        let post = post_as(&alice, "worth it", "public").await;
        let there = found(&carol, &post).await;
        carol.post(&format!("/api/v1/statuses/{there}/reblog"), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        let seen = home(&bob).await;
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0]["account"]["acct"], c.handle("carol"));
        assert_eq!(seen[0]["reblog"]["account"]["acct"], a.handle("alice"));
        assert_eq!(seen[0]["reblog"]["uri"], post["uri"]);
        // Bob boosts the boost: it is the original that is boosted.
        bob.post(&format!("/api/v1/statuses/{}/reblog", id(&seen[0])), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        let count = async || {
            let shown = alice.get(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
            shown["reblogs_count"].clone()
        };
        assert_eq!(count().await, json!(2));
        carol.post(&format!("/api/v1/statuses/{there}/unreblog"), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert_eq!(count().await, json!(1));
        let seen = home(&bob).await;
        assert!(seen.iter().all(|s| s["account"]["acct"] == "bob"), "{seen:?}");
        assert!(has(&b, &post).await);
    }

    async fn deletions_reach_whoever_has_it(a, b, c) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, c.person("carol").await);
        follow((&bob, &b), (&alice, &a)).await;
        let post = post_as(&alice, "a mistake", "public").await;
        settle_all(&[&a, &b, &c]).await;
        // One has it as a follower, the other because somebody there boosted it.
        let there = found(&carol, &post).await;
        carol.post(&format!("/api/v1/statuses/{there}/reblog"), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert_eq!((has(&b, &post).await, has(&c, &post).await), (true, true));
        alice.delete(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert_eq!((has(&a, &post).await, has(&b, &post).await, has(&c, &post).await), (false, false, false));
        assert_eq!((texts(&bob).await.len(), texts(&carol).await.len()), (0, 0));
        carol.get(&format!("/api/v1/statuses/{there}"), ()).await.expect(404);
    }

    async fn who_has_it_from_a_booster_hears_of_its_edits_and_its_end(a, b, c) {
        let (alice, bob) = (a.person("alice").await, a.person("bob").await);
        let (carol, dave) = (b.person("carol").await, c.person("dave").await);
        follow((&carol, &b), (&bob, &a)).await;
        let post = post_as(&alice, "a mistake", "public").await;
        bob.post(&format!("/api/v1/statuses/{}/reblog", id(&post)), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert_eq!(texts(&carol).await, ["a mistake"]);
        alice.put(&format!("/api/v1/statuses/{}", id(&post)), [("status", "a lesser one")]).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert_eq!(texts(&carol).await, ["a lesser one"]);
        alice.delete(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert_eq!((has(&b, &post).await, texts(&carol).await), (false, vec![]));

        // What somebody elsewhere deletes, whose server knows nothing of Carol's.
        let post = post_as(&dave, "another", "public").await;
        let there = found(&bob, &post).await;
        bob.post(&format!("/api/v1/statuses/{there}/reblog"), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert_eq!(texts(&carol).await, ["another"]);
        dave.delete(&format!("/api/v1/statuses/{}", id(&post)), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert_eq!((has(&a, &post).await, texts(&carol).await), (false, vec![]));
    }

    async fn a_block_is_between_two(a, b, c) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, c.person("carol").await);
        let alice_at_b = follow((&bob, &b), (&alice, &a)).await;
        let alice_at_c = follow((&carol, &c), (&alice, &a)).await;
        follow((&carol, &c), (&bob, &b)).await;
        let bob_there = find(&alice, &b.handle("bob")).await;
        alice.post(&format!("/api/v1/accounts/{}/block", id(&bob_there)), ()).await.ok();
        settle_all(&[&a, &b, &c]).await;
        let between = relationship(&bob, &alice_at_b).await;
        assert_eq!((&between["following"], &between["blocked_by"]), (&json!(false), &json!(true)));
        assert_eq!(relationship(&carol, &alice_at_c).await["following"], true);
        let post = post_as(&alice, "without Bob", "public").await;
        let bobs = post_as(&bob, "without Alice", "public").await;
        settle_all(&[&a, &b, &c]).await;
        assert_eq!((has(&b, &post).await, has(&c, &post).await, has(&c, &bobs).await), (false, true, true));
        // Nor does he come back over a third server.
        let answer = bob.post("/api/v1/statuses", [("status", format!("@{} hello", a.handle("alice")))]).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert_eq!(crate::notifications(&alice).await.iter().filter(|(kind, _)| kind == "mention").count(), 0);
        let carols = find(&carol, &b.handle("bob")).await;
        assert_eq!(relationship(&carol, id(&carols)).await["following"], true);
        assert!(has(&c, &answer).await);
    }

    async fn posts_for_followers_stay_with_their_servers(a, b, c) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, c.person("carol").await);
        follow((&bob, &b), (&alice, &a)).await;
        let (dave, known) = (b.person("dave").await, find(&carol, &a.handle("alice")).await);
        let post = post_as(&alice, "between us", "private").await;
        settle_all(&[&a, &b, &c]).await;
        assert_eq!((has(&b, &post).await, has(&c, &post).await), (true, false));
        assert_eq!((texts(&bob).await, texts(&dave).await), (vec!["between us".to_owned()], Vec::new()));
        // Not even for the asking: not for a stranger's server, nor for who is at the right one.
        for who in [&carol, &dave] {
            assert_eq!(search(who, post["uri"].as_str().unwrap()).await["statuses"], json!([]));
        }
        assert!(!has(&c, &post).await);
        // Bob may not boost it to others, and his answer names nobody who could see it.
        let there = found(&bob, &post).await;
        bob.post(&format!("/api/v1/statuses/{there}/reblog"), ()).await.expect(403);
        follow((&carol, &c), (&bob, &b)).await;
        let fields = [("status", "among ourselves"), ("in_reply_to_id", &there), ("visibility", "private")];
        let answer = bob.post("/api/v1/statuses", fields).await.ok();
        settle_all(&[&a, &b, &c]).await;
        assert!(has(&c, &answer).await, "she follows Bob");
        assert!(!has(&c, &post).await, "but what it answers is not for her");
        assert_eq!(relationship(&carol, id(&known)).await["following"], false);
    }
}
