//! Who reaches whom, and why not.

use crate::peer::with_a_peer;
use crate::trust::block;
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
        assert_eq!(found.verdict(), Verdict::Fine, "{found:?}");
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
}

fn engine_of(server: &TestServer) -> Engine {
    if server.db().is_postgres() { Engine::Postgres } else { Engine::Sqlite }
}
