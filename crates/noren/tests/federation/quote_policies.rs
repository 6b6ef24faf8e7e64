//! Who may quote a post of another server, and what is said of ours.

use crate::peer::{Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{home, id, post_as, search};
use serde_json::{Value, json};
use testkit::Person;

/// A post of `who` with this policy, as `bob` sees it.
async fn posted(peer: &Peer, who: &Somebody, bob: &Person, (name, automatic): (&str, Value)) -> Value {
    let mut note = peer.note(who, (name, "quote me"), &[]);
    note["interactionPolicy"] = json!({ "canQuote": { "automaticApproval": automatic } });
    peer.put(&format!("/notes/{name}"), note.clone());
    search(bob, note["id"].as_str().unwrap()).await["statuses"][0].clone()
}

fn approval(status: &Value) -> (Value, Value) {
    (status["quote_approval"]["automatic"].clone(), status["quote_approval"]["current_user"].clone())
}

with_a_peer! {
    async fn followers_who_ask_to_quote_what_is_for_them_are_told_no(server, peer, bob) {
        let (ann, eve) = (peer.somebody("ann"), peer.somebody("eve"));
        peer.send(&ann, &server, &peer.activity(&ann, ("Follow", "f"), json!(local_uri(&server, &bob)))).await;
        let private = post_as(&bob, "for friends", "private").await;
        for (who, name) in [(&eve, "1"), (&ann, "2")] {
            let mut note = peer.note(who, (name, "look"), &[]);
            note["quote"] = private["uri"].clone();
            let mut asked = peer.activity(who, ("QuoteRequest", &format!("ask{name}")), private["uri"].clone());
            asked["instrument"] = note;
            peer.send(who, &server, &asked).await;
        }
        // Who cannot see it hears nothing.
        assert_eq!(peer.told("Reject"), [private["uri"].as_str().unwrap()]);
        assert_eq!(peer.last("Reject")["to"], json!([ann.uri]));
    }

    async fn whom_an_author_follows_may_quote_them(server, peer, bob) {
        let ann = peer.somebody("ann");
        let (following, followers) = (format!("{}/following", ann.uri), format!("{}/followers", ann.uri));
        peer.shows(&ann, "ann", json!({ "following": following }));
        let quote = async |status: &Value| {
            bob.post("/api/v1/statuses", [("status", "look"), ("quoted_status_id", id(status))]).await.status
        };
        let first = posted(&peer, &ann, &bob, ("1", json!([following]))).await;
        assert_eq!(approval(&first), (json!(["following"]), json!("denied")));
        assert_eq!(quote(&first).await, 403);
        // The following of somebody else is not hers.
        let other = posted(&peer, &ann, &bob, ("2", json!([format!("{}/users/eve/following", peer.base)]))).await;
        assert_eq!(approval(&other), (json!([]), json!("denied")));
        peer.send(&ann, &server, &peer.activity(&ann, ("Follow", "f"), json!(local_uri(&server, &bob)))).await;
        let second = posted(&peer, &ann, &bob, ("3", json!([following]))).await;
        assert_eq!(approval(&second), (json!(["following"]), json!("automatic")));
        assert_eq!((quote(&second).await, quote(&other).await), (200, 403));
        let both = posted(&peer, &ann, &bob, ("4", json!([followers, following]))).await;
        assert_eq!(approval(&both), (json!(["followers", "following"]), json!("automatic")));
        let one = posted(&peer, &ann, &bob, ("5", json!(followers))).await;
        assert_eq!(approval(&one), (json!(["followers"]), json!("denied")));
        assert_eq!((quote(&both).await, quote(&one).await), (200, 403));
        // Both ways to be among them; shown in a list as by itself.
        let undo = peer.activity(&ann, ("Undo", "u"), peer.activity(&ann, ("Follow", "f"), json!(local_uri(&server, &bob))));
        peer.send(&ann, &server, &undo).await;
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Announce", "a"), json!(format!("{}/notes/4", peer.base)))).await;
        let shown = home(&bob).await.into_iter().find(|s| s["reblog"].is_object()).unwrap();
        assert_eq!(approval(&shown["reblog"]), (json!(["followers", "following"]), json!("automatic")));
        assert_eq!((quote(&second).await, quote(&both).await), (403, 200));
        server.settle().await;
    }
}
