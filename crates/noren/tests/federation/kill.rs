//! Two programs, and `kill -9`: what one told the other arrives, and once.

use crate::process::{Site, until};
use testkit::postgres;

const POSTS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    nothing_that_was_told_is_lost_or_comes_twice(Site::new("alice", None), Site::new("bob", None)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let (Some(a), Some(b)) = (postgres::database(), postgres::database()) else { return };
    nothing_that_was_told_is_lost_or_comes_twice(Site::new("alice", Some(a)), Site::new("bob", Some(b))).await;
}

async fn nothing_that_was_told_is_lost_or_comes_twice(a: Site, b: Site) {
    let (mut at_a, mut at_b) = (a.serve(), b.serve());
    let found = b.get(&format!("/api/v2/search?resolve=true&q=@alice@localhost:{}", a.port)).await;
    let alice = found["accounts"][0]["id"].as_str().unwrap().to_owned();
    b.post(&format!("/api/v1/accounts/{alice}/follow"), &[]).await.unwrap();
    until("the follow", async || {
        b.get(&format!("/api/v1/accounts/relationships?id[]={alice}")).await[0]["following"] == true
    })
    .await;

    let mut posted = Vec::new();
    for n in 0..POSTS {
        let text = format!("post {n:02}");
        if a.post("/api/v1/statuses", &[("status", &text)]).await.is_some() {
            posted.push(format!("<p>{text}</p>"));
        }
        // In the middle of being told, and of telling.
        if n == 15 {
            drop(at_b);
            at_b = b.serve_again().await;
        }
        if n == 35 {
            drop(at_a);
            at_a = a.serve_again().await;
        }
    }
    until("the posts", async || {
        a.line(&["federation", "retry"]);
        b.texts().await.len() >= posted.len()
    })
    .await;
    assert_eq!(b.texts().await, posted);
    assert!(matches!(a.line(&["jobs", "list", "--json"]).trim(), "[]" | ""));
    drop((at_a, at_b));
}
