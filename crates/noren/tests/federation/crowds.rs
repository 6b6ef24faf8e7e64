//! Posts that very many did something to: also the last of them hear of edits and of the end.

use crate::peer::{Peer, with_a_peer};
use crate::{find, id, post_as};
use domain::ids::StatusId;
use serde_json::Value;
use testkit::TestServer;

/// More than are read at once anywhere.
const CROWD: i64 = 1_500;

const PEOPLE: &str = "WITH RECURSIVE n (i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $2) \
    INSERT INTO accounts (id, username, domain, uri, url, created_at) \
    SELECT i, 'p' || CAST(i AS TEXT), $3, $4 || CAST(i AS TEXT), $4 || CAST(i AS TEXT), 0 FROM n";
const ACTORS: &str = "INSERT INTO actors (account_id, kind, inbox, shared_inbox, fetched_at) \
    SELECT id, 'Person', uri || '/inbox', $3, 0 FROM accounts WHERE id >= $1 AND id <= $2";
const FAVOURITES: &str =
    "INSERT INTO favourites (id, account_id, status_id) SELECT id, id, $3 FROM accounts WHERE id >= $1 AND id <= $2";

/// A crowd of one server favours a post.
async fn rush(server: &TestServer, peer: &Peer, post: &Value) {
    let (first, last, post) = (1_i64, CROWD, id(post).parse::<StatusId>().unwrap());
    let (domain, base, inbox) = (peer.host(), format!("{}/users/p", peer.base), format!("{}/inbox", peer.base));
    let tx = server.db().begin().await.unwrap();
    tx.exec(PEOPLE, &[&first, &last, &domain, &base]).await.unwrap();
    tx.exec(ACTORS, &[&first, &last, &inbox]).await.unwrap();
    tx.exec(FAVOURITES, &[&first, &last, &post]).await.unwrap();
    tx.exec("UPDATE statuses SET favourites_count = $1 WHERE id = $2", &[&CROWD, &post]).await.unwrap();
    tx.commit().await.unwrap();
}

with_a_peer! {
    async fn the_last_of_a_crowd_hears_of_edits_and_of_the_end(server, peer, bob) {
        let (few, late) = (Peer::start().await, peer.somebody("late"));
        find(&bob, &format!("late@{}", peer.host())).await;
        let posted = post_as(&bob, "look", "public").await;
        rush(&server, &few, &posted).await;
        peer.send(&late, &server, &peer.activity(&late, ("Like", "1"), posted["uri"].clone())).await;
        let told = |verb: &str| (few.told(verb).len(), peer.told(verb).len());
        bob.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", "look again")]).await.ok();
        server.settle().await;
        assert_eq!(told("Update"), (1, 1));
        bob.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        server.settle().await;
        assert_eq!(told("Delete"), (1, 1));
    }
}
