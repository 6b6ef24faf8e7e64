//! Who reaches whom, and why not.

use crate::peer::{Came, with_a_peer};
use crate::trust::block;
use axum::response::IntoResponse as _;
use domain::domain_blocks::Severity;
use federation::Verdict;
use testkit::{Engine, TestServer};

with_a_peer! {
    async fn a_server_is_looked_at_from_all_sides(server, peer, bob) {
        let federation = &server.parts().federation;
        // Something answers, but it is no server of the federation.
        let found = federation.reach(peer.host()).await.unwrap().unwrap();
        assert_eq!(found.verdict(), Verdict::Strange);
        assert!(found.addresses.as_ref().unwrap().iter().any(|one| one.outcome.is_ok()));
        assert!(matches!((&found.software, &found.knock), (Some(Err(_)), Some(Err(_)))));
        // One like us.
        let Some(other) = TestServer::start_reachable(engine_of(&server)).await else { return };
        let name = other.parts().site.domain.clone();
        let found = federation.reach(&name.to_uppercase()).await.unwrap().unwrap();
        assert_eq!((found.verdict(), found.clock.map(|ahead| ahead.abs() < 60)), (Verdict::Fine, Some(true)), "{found:?}");
        assert!(found.software.unwrap().unwrap().starts_with("noren "));
        other.finish().await;
        // Nobody is there any more.
        let found = federation.reach(&name).await.unwrap().unwrap();
        assert_eq!(found.verdict(), Verdict::Unreachable);
        // Nothing is asked of a blocked one, but whether it answers.
        block(&server, &peer, Severity::Suspend, |_| {}).await;
        peer.asked.lock().unwrap().clear();
        let found = federation.reach(peer.host()).await.unwrap().unwrap();
        assert_eq!((found.verdict(), peer.asked.lock().unwrap().len()), (Verdict::Blocked, 0));
        assert!(federation.reach("no name").await.unwrap().is_none());
        let _ = bob;
    }

    async fn clocks_that_are_apart_are_seen(server, peer, bob) {
        let judge = |came: &Came| {
            let head = [("date", "Tue, 20 Apr 2021 02:07:55 GMT"), ("content-type", "application/json")];
            (came.target == "/.well-known/nodeinfo").then(|| (head, "{}").into_response())
        };
        assert!(peer.judge.set(Box::new(judge)).is_ok());
        let found = server.parts().federation.reach(peer.host()).await.unwrap().unwrap();
        assert_eq!(found.verdict(), Verdict::Apart);
        assert!(found.clock.is_some_and(|ahead| ahead < -365 * 86_400), "{found:?}");
        let _ = bob;
    }
}

fn engine_of(server: &TestServer) -> Engine {
    if server.db().is_postgres() { Engine::Postgres } else { Engine::Sqlite }
}
