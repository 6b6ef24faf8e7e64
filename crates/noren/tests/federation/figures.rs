//! What Prometheus is shown of the queue and of other servers.

use domain::ids::PollId;
use domain::jobs::Job;
use domain::{Time, hosts};
use std::time::Duration;
use testkit::{Engine, TestServer};

async fn shows_how_queues_and_hosts_do(engine: Engine) {
    let port = testkit::free_port();
    let shown = |config: &mut noren::config::Config| {
        config.metrics.listen = Some(([127, 0, 0, 1], port).into());
    };
    let Some(server) = TestServer::start_with(engine, shown).await else { return };
    let alice = server.person("alice").await;
    // A worker that has done something has taken up by then what others left behind.
    let mut tx = server.db().begin().await.unwrap();
    tx.enqueue(Job::ClosePoll { poll: PollId(1) }).await.unwrap();
    tx.commit().await.unwrap();
    server.settle().await;
    let later = jiff::Timestamp::now() + Duration::from_secs(3600);
    let fields = [("status", "later"), ("scheduled_at", &later.to_string())];
    alice.post("/api/v1/statuses", fields).await.ok();
    for host in ["dead.example", "slow.example"] {
        hosts::failed(server.db(), host, "no connection").await.unwrap();
    }
    hosts::failed(server.db(), "well.example", "once").await.unwrap();
    hosts::answered(server.db(), "well.example").await.unwrap();
    let tx = server.db().begin().await.unwrap();
    let until = Time::now().plus(Duration::from_secs(100));
    tx.exec("UPDATE hosts SET failures = 4, resting_until = $1 WHERE host = 'dead.example'", &[&until]).await.unwrap();
    // Given up, and one that nobody has begun for a minute: of a queue whose one place is taken.
    let ago = Time::now().minus(Duration::from_secs(60));
    let sql = "INSERT INTO jobs (id, queue, state, payload, run_at, created_at, claimed_until) VALUES ($1, 3, $2, '{}', $3, $3, $4)";
    tx.exec(sql, &[&1_i64, &2_i64, &ago, &None::<Time>]).await.unwrap();
    tx.exec(sql, &[&2_i64, &1_i64, &ago, &Some(Time::now().plus(Duration::from_secs(60)))]).await.unwrap();
    tx.commit().await.unwrap();

    let url = format!("http://127.0.0.1:{port}/metrics");
    let answer = reqwest::get(&url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let page = answer.text().await.unwrap();
    for line in [
        "noren_jobs{queue=\"scheduler\",state=\"waiting\"} 1",
        "noren_jobs{queue=\"mailers\",state=\"waiting\"} 0",
        "noren_jobs{queue=\"mailers\",state=\"running\"} 1",
        "noren_jobs{queue=\"mailers\",state=\"dead\"} 1",
        "noren_jobs{queue=\"push\",state=\"dead\"} 0",
        "noren_jobs_oldest_due_seconds{queue=\"scheduler\"} 0",
        "noren_hosts{state=\"failing\"} 2",
        "noren_hosts{state=\"resting\"} 1",
        "noren_host_failures{host=\"dead.example\"} 4",
        "noren_host_failures{host=\"slow.example\"} 1",
        "noren_host_resting_seconds{host=\"slow.example\"} 0",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line} is not in\n{page}");
    }
    let resting = page.lines().find_map(|line| line.strip_prefix("noren_host_resting_seconds{host=\"dead.example\"} "));
    assert!((90..=100).contains(&resting.unwrap().parse::<u64>().unwrap()), "{resting:?}");
    assert!(!page.contains("well.example"));
    // Nobody else's business: at the site itself there is nothing of it.
    assert_eq!(server.client().get("/metrics", ()).await.status, 404);
    let tx = server.db().begin().await.unwrap();
    tx.exec("DELETE FROM jobs WHERE id IN (1, 2)", &[]).await.unwrap();
    tx.commit().await.unwrap();
    server.finish().await;
}

testkit::with_each_engine!(shows_how_queues_and_hosts_do);
