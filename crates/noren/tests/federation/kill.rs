//! Two programs, and `kill -9`: what one told the other arrives, and once.

use crate::process::{Server, Site};
use crate::queue_commands::shown;
use reqwest::Method;
use serde_json::Value;
use testkit::{postgres, until};

const POSTS: usize = 60;
/// Posts that something of every kind is done to.
const FEW: usize = 9;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    nothing_that_was_told_is_lost_or_comes_twice(Site::new("alice", None), Site::new("bob", None)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_kinds_sqlite() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    whatever_was_done_is_true_once(Site::new("alice", None), Site::new("bob", None)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_kinds_postgres() {
    let (Some(a), Some(b)) = (postgres::database(), postgres::database()) else { return };
    whatever_was_done_is_true_once(Site::new("alice", Some(a)), Site::new("bob", Some(b))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let (Some(a), Some(b)) = (postgres::database(), postgres::database()) else { return };
    nothing_that_was_told_is_lost_or_comes_twice(Site::new("alice", Some(a)), Site::new("bob", Some(b))).await;
}

async fn nothing_that_was_told_is_lost_or_comes_twice(a: Site, b: Site) {
    let (mut at_a, mut at_b) = (a.serve(), b.serve());
    follow(&b, ("alice", &a)).await;
    let mut posted = Vec::new();
    for n in 0..POSTS {
        let text = format!("post {n:02}");
        if let Some(status) = a.post("/api/v1/statuses", &[("status", &text)]).await {
            assert!(status["id"].is_string(), "{status}");
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
    // What was taken over there may not be written down here yet.
    until("the end of all work", async || matches!(a.line(&["jobs", "list", "--json"]).trim(), "[]" | "")).await;
    drop((at_a, at_b));
}

fn id(entity: &Value) -> &str {
    entity["id"].as_str().unwrap_or_else(|| panic!("{entity}"))
}

/// Who owns `here` follows `name` of `there`, and knows that they do.
async fn follow(here: &Site, (name, there): (&str, &Site)) {
    let found = here.get(&format!("/api/v2/search?resolve=true&q=@{name}@localhost:{}", there.port)).await;
    let account = id(&found["accounts"][0]).to_owned();
    here.post(&format!("/api/v1/accounts/{account}/follow"), &[]).await.unwrap();
    until("the follow", async || {
        here.get(&format!("/api/v1/accounts/relationships?id[]={account}")).await[0]["following"] == true
    })
    .await;
}

async fn number(site: &Site, status: &str) -> Vec<Value> {
    let shown = site.get(&format!("/api/v1/statuses/{status}")).await;
    ["favourites_count", "reblogs_count", "replies_count", "content", "edited_at"]
        .map(|key| shown[key].clone())
        .to_vec()
}

/// How many are on their way.
fn deliveries(site: &Site) -> usize {
    let jobs = shown(site, &["jobs", "list", "--state", "waiting"]);
    jobs.as_array().unwrap().iter().filter(|job| job["job"]["inbox"].is_string()).count()
}

/// What waits is not waited for, on both sides.
fn hurry(a: &Site, b: &Site) {
    for site in [a, b] {
        site.line(&["federation", "retry"]);
    }
}

/// Posts, edits, favourites, boosts, answers, votes, and their ends, both ways, with a kill in the middle of each.
async fn whatever_was_done_is_true_once(a: Site, b: Site) {
    let (mut at_a, mut at_b) = (a.serve(), b.serve());
    follow(&b, ("alice", &a)).await;
    follow(&a, ("bob", &b)).await;
    let mut posts = Vec::new();
    for n in 0..FEW {
        let fields = [("status", format!("post {n}")), ("poll[expires_in]", "3600".into())];
        let mut fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        fields.extend([("poll[options][]", "yes"), ("poll[options][]", "no")]);
        posts.push(id(&a.post("/api/v1/statuses", &fields).await.unwrap()).to_owned());
    }
    until("the posts", async || b.texts().await.len() == FEW).await;
    let home = b.get("/api/v1/timelines/home?limit=40").await;
    let mut there: Vec<Value> = home.as_array().unwrap().clone();
    there.sort_by_key(|status| status["content"].to_string());
    for (n, (post, copy)) in posts.iter().zip(&there).enumerate() {
        let path = format!("/api/v1/statuses/{}", id(copy));
        b.post(&format!("{path}/favourite"), &[]).await.unwrap();
        b.post(&format!("{path}/reblog"), &[]).await.unwrap();
        if n == 2 {
            drop(at_b);
            at_b = b.serve_again().await;
        }
        let answer = [("status", "an answer"), ("in_reply_to_id", id(copy)), ("visibility", "unlisted")];
        b.post("/api/v1/statuses", &answer).await.unwrap();
        b.post(&format!("/api/v1/polls/{}/votes", id(&copy["poll"])), &[("choices[]", "1")]).await.unwrap();
        let fields = [("status", format!("edited {n}")), ("spoiler_text", "again".into())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let keeps = [("poll[expires_in]", "3600"), ("poll[options][]", "yes"), ("poll[options][]", "no")];
        a.call(Method::PUT, &format!("/api/v1/statuses/{post}"), &[&fields[..], &keeps].concat()).await.unwrap();
        if n == 5 {
            drop(at_a);
            at_a = a.serve_again().await;
        }
    }
    arrived((&a, &b), (&posts, &there)).await;
    ended((&a, &b), (&posts, &there), (at_a, at_b)).await;
}

/// All of it, and no more than that, also after everything has come to rest.
async fn arrived((a, b): (&Site, &Site), (posts, there): (&[String], &[Value])) {
    let one = Value::from(1);
    for (n, (post, copy)) in posts.iter().zip(there).enumerate() {
        until("what was done", async || {
            hurry(a, b);
            let poll = a.get(&format!("/api/v1/statuses/{post}")).await["poll"]["votes_count"].clone();
            let edited = number(b, id(copy)).await[3] == format!("<p>edited {n}</p>");
            number(a, post).await[..3] == [one.clone(), one.clone(), one.clone()] && poll == 1 && edited
        })
        .await;
    }
    until("rest", async || {
        hurry(a, b);
        [a, b].into_iter().all(|site| deliveries(site) == 0)
    })
    .await;
    let told = a.get("/api/v1/notifications?limit=80&types[]=favourite&types[]=reblog").await;
    assert_eq!(told.as_array().unwrap().len(), 2 * FEW);
    for post in posts {
        assert_eq!(number(a, post).await[..3], [one.clone(), one.clone(), one.clone()]);
    }
    for site in [a, b] {
        assert!(matches!(site.line(&["jobs", "list", "--state", "dead", "--json"]).trim(), "[]" | ""));
    }
}

/// All is taken back, or deleted, and none of it comes again.
async fn ended((a, b): (&Site, &Site), (posts, there): (&[String], &[Value]), (mut at_a, mut at_b): (Server, Server)) {
    let (kept, deleted) = posts.split_at(FEW / 2);
    for (n, (_, copy)) in kept.iter().zip(there).enumerate() {
        let path = format!("/api/v1/statuses/{}", id(copy));
        b.post(&format!("{path}/unfavourite"), &[]).await.unwrap();
        b.post(&format!("{path}/unreblog"), &[]).await.unwrap();
        if n == 1 {
            drop(at_a);
            at_a = a.serve_again().await;
        }
    }
    for (n, post) in deleted.iter().enumerate() {
        a.call(Method::DELETE, &format!("/api/v1/statuses/{post}"), &[]).await.unwrap();
        if n == 1 {
            drop(at_b);
            at_b = b.serve_again().await;
        }
    }
    let alices = async || {
        let all = b.texts().await;
        all.iter().filter(|text| text.contains("edited")).count()
    };
    until("the ends", async || {
        hurry(a, b);
        let mut left = 0;
        for post in kept {
            let counts = number(a, post).await;
            left += counts[0].as_i64().unwrap() + counts[1].as_i64().unwrap();
        }
        left == 0 && alices().await == kept.len()
    })
    .await;
    drop((at_a, at_b));
}
