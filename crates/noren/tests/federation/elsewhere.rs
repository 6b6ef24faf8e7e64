//! What a browser gets at `/@user@domain`: the way to where somebody of another server is, and no more.

use crate::browser::{Browser, PASSWORD, expect, location};
use crate::peer::{followed, with_a_peer};
use crate::trust::block;
use crate::{find, home, id};
use domain::domain_blocks::Severity;
use domain::users::{self, NewUser};
use reqwest::{Method, header};
use serde_json::json;
use testkit::TestServer;

async fn stranger_at(server: &TestServer, path: &str) -> testkit::Reply {
    Browser::new(server).get(path).await
}

with_a_peer! {
    async fn profiles_elsewhere_are_a_step_away(server, peer, bob) {
        let eve = peer.somebody("eve");
        let page = format!("{}/@eve?a=1&b=\"><script>x()</script>", peer.base);
        peer.shows(&eve, "eve", json!({ "name": "<b>Eve</b>", "summary": "<p>Nobody reads this here</p>", "url": page }));
        let path = format!("/@eve@{}", peer.host());
        // Nobody whom nobody here knows is looked for because a stranger asks.
        assert_eq!((stranger_at(&server, &path).await.status, peer.asked.lock().unwrap().len()), (404, 0));
        find(&bob, &format!("eve@{}", peer.host())).await;
        server.settle().await;
        let asked = peer.asked.lock().unwrap().len();

        for path in [path.clone(), path.replace("/@eve@", "/@EVE%40")] {
            let shown = stranger_at(&server, &path).await;
            expect(&shown, 200, "This account is on another server:");
            let text = shown.text();
            assert!(text.contains(&format!("@eve@{}", peer.host())) && text.contains("&lt;b&gt;Eve&lt;/b&gt;"), "{text}");
            assert!(text.contains(&format!("<a class=\"button\" href=\"{}/@eve?a=1&amp;b=%22%3E%3Cscript%3Ex()%3C/script%3E\" rel=\"nofollow noreferrer noopener\"", peer.base)), "{text}");
            assert!(!text.contains("<script") && !text.contains("<b>") && !text.contains("Nobody reads"), "{text}");
            assert!(text.contains("<meta name=\"robots\" content=\"noindex, nofollow\"") && !text.contains("http-equiv"), "{text}");
            assert_eq!(shown.headers.get(header::LOCATION), None);
        }
        // Whatever is asked for besides leads nobody anywhere else.
        let shown = stranger_at(&server, &format!("{path}?url=https://evil.example/&return_to=//evil.example&lang=ja")).await;
        expect(&shown, 200, "このアカウントは別のサーバーにあります:");
        assert!(!shown.text().contains("href=\"https://evil.example") && !shown.text().contains("href=\"//evil"), "{}", shown.text());
        assert_eq!(peer.asked.lock().unwrap().len(), asked, "nothing is fetched for strangers");
        // Another server that asks for a document is at the wrong place.
        let request = server.client().request(Method::GET, &path).header(header::ACCEPT, "application/activity+json");
        assert_eq!(server.client().send(request).await.status, 404);
        for wrong in ["/@nobody@localhost", "/@eve@", "/@@localhost", "/@eve@a@b", &format!("/@eve@{}/x", peer.host())] {
            assert_eq!(stranger_at(&server, wrong).await.status, 404, "{wrong}");
        }

        // Who is at home here can follow.
        let new = NewUser { email: Some("mia@example.com".into()), password: Some(PASSWORD.into()), ..NewUser::named("mia") };
        users::create(server.db(), &server.parts().site, new).await.unwrap();
        let mut mia = Browser::new(&server);
        mia.sign_in("mia").await;
        let to = location(&mia.get(&path).await).to_owned();
        let named: String = url::form_urlencoded::byte_serialize(eve.uri.as_bytes()).collect();
        assert_eq!(to, format!("/authorize_interaction?uri={named}"));
        expect(&mia.get(&to).await, 200, "Follow");
    }

    async fn posts_elsewhere_are_a_step_away(server, peer, bob) {
        let (eve, ann) = (peer.somebody("eve"), peer.somebody("ann"));
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        let mine = crate::post_as(&bob, "mine", "public").await;
        let mut notes = Vec::new();
        for (name, to) in [("open", json!(federation::documents::PUBLIC)), ("few", json!([format!("{}/followers", eve.uri)]))] {
            let mut note = peer.note(&eve, (name, name), &[]);
            (note["to"], note["cc"], note["url"]) = (to, json!([]), json!(format!("{}/@eve/{name}", peer.base)));
            peer.send(&eve, &server, &peer.activity(&eve, ("Create", name), note.clone())).await;
            notes.push(note);
        }
        for (name, what) in [("b1", mine["uri"].clone()), ("b2", notes[0]["id"].clone())] {
            peer.send(&ann, &server, &peer.activity(&ann, ("Announce", name), what)).await;
        }
        let home = home(&bob).await;
        let known = |uri: &str| id(home.iter().find(|s| s["uri"] == uri).unwrap()).to_owned();
        let [open, few] = [0, 1].map(|n| known(notes[n]["id"].as_str().unwrap()));
        let boost = |of: &str| id(home.iter().find(|s| s["reblog"]["id"] == of).unwrap()).to_owned();
        let at = |who: &str, id: &str| format!("/@{who}@{}/{id}", peer.host());
        let shown = stranger_at(&server, &at("eve", &open)).await;
        expect(&shown, 200, "This post is on another server:");
        let text = shown.text();
        assert!(text.contains(&format!("href=\"{}/@eve/open\"", peer.base)) && text.contains("noindex"), "{text}");
        assert!(!text.contains("<p>open</p>"), "{text}");
        for absent in [at("eve", &few), at("ann", &open), at("eve", "1"), at("eve", id(&mine)), format!("/@bob/{open}")] {
            assert_eq!(stranger_at(&server, &absent).await.status, 404, "{absent}");
        }
        assert_eq!(location(&stranger_at(&server, &at("ann", &boost(&open))).await), at("eve", &open));
        assert_eq!(location(&stranger_at(&server, &at("ann", &boost(id(&mine)))).await), format!("/@bob/{}", id(&mine)));
    }

    async fn nobody_is_shown_the_way_to_who_is_not_shown(server, peer, bob) {
        let (_, ann) = (peer.somebody("eve"), peer.somebody("ann"));
        for name in ["eve", "ann"] {
            find(&bob, &format!("{name}@{}", peer.host())).await;
        }
        let status = async |name: &str| stranger_at(&server, &format!("/@{name}@{}", peer.host())).await.status;
        assert_eq!((status("eve").await, status("ann").await), (200, 200));
        let mut hidden = peer.actor("ann", &ann);
        hidden["suspended"] = json!(true);
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "1"), hidden)).await;
        assert_eq!(status("ann").await, 404);
        block(&server, &peer, Severity::Silence, |_| {}).await;
        assert_eq!(status("eve").await, 200);
        block(&server, &peer, Severity::Suspend, |_| {}).await;
        assert_eq!(status("eve").await, 404);
    }
}
