//! Reports to other servers and from them.

use crate::peer::Peer;
use crate::peer::with_a_peer;
use crate::trust::{block, uri_of};
use crate::{id, post_as, search};
use domain::domain_blocks::Severity;
use domain::page::Page;
use domain::reports::{self, Report, Which};
use domain::users::{NewUser, Role};
use serde_json::{Value, json};
use testkit::TestServer;

async fn filed(server: &TestServer) -> Vec<Report> {
    reports::list(&server.db().read().await.unwrap(), Which::Open, Page::newest(40)).await.unwrap()
}

fn flags(peer: &Peer) -> Vec<Value> {
    peer.received.lock().unwrap().iter().filter(|a| a["type"] == "Flag").cloned().collect()
}

with_a_peer! {
    async fn a_report_is_told_without_who_reported(server, peer, bob) {
        let eve = peer.somebody("eve");
        let note = peer.note(&eve, ("1", "buy this"), &[&uri_of(&server, &bob)]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let status = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
        let form = |forward: &'static str| [
            ("account_id", id(&status["account"]).to_owned()), ("status_ids[]", id(&status).to_owned()),
            ("comment", "it is spam".to_owned()), ("forward", forward.to_owned()),
        ];
        bob.post("/api/v1/reports", form("false")).await.ok();
        server.settle().await;
        assert_eq!(flags(&peer), Vec::<Value>::new());
        let report = bob.post("/api/v1/reports", form("true")).await.ok();
        assert_eq!(report["forwarded"], true);
        server.settle().await;
        let [flag] = &flags(&peer)[..] else { panic!("one flag") };
        let site = format!("{}/actor", server.parts().site.base_url);
        assert_eq!((&flag["actor"], &flag["content"]), (&json!(site), &json!("it is spam")));
        assert_eq!(flag["object"], json!([eve.uri, note["id"]]));
        assert!(!flag.to_string().contains("bob"), "{flag}");
        // Only servers that the posts answer are told besides; others not.
        let other = Peer::start().await;
        let [account, status, comment, forward] = form("true");
        let elsewhere = [account, status, comment, forward, ("forward_to_domains[]", other.host().to_owned())];
        bob.post("/api/v1/reports", elsewhere).await.ok();
        server.settle().await;
        assert_eq!((flags(&peer).len(), other.received.lock().unwrap().len()), (1, 0));
    }

    async fn a_report_from_elsewhere_reaches_the_staff(server, peer, bob) {
        let owner = server.person_with(NewUser { role: Role::Owner, ..NewUser::named("owner") }, "read write").await;
        let (eve, here) = (peer.somebody("eve"), uri_of(&server, &bob));
        let post = post_as(&bob, "something", "public").await;
        let secret = post_as(&bob, "not for eve", "direct").await;
        let flag = |name: &str, object: Value, content: &str| {
            let mut flag = peer.activity(&eve, ("Flag", name), object);
            flag["content"] = json!(content);
            flag["bto"] = json!([here]);
            flag
        };
        peer.send(&eve, &server, &flag("1", json!([here, post["uri"], secret["uri"]]), "rude")).await;
        let report = filed(&server).await.pop().unwrap();
        assert_eq!((report.target_id, report.comment.as_str()), (bob.account, "rude"));
        assert_eq!(report.statuses().iter().map(ToString::to_string).collect::<Vec<_>>(), [id(&post)]);
        let told = owner.get("/api/v1/notifications", ()).await.ok();
        assert_eq!((&told[0]["type"], &told[0]["account"]["username"]), (&json!("admin.report"), &json!("eve")));
        // The very same again says nothing new.
        peer.send(&eve, &server, &flag("2", json!([here, post["uri"]]), "rude")).await;
        assert_eq!(filed(&server).await.len(), 1);
        // Misskey puts posts into the words.
        let words = format!("Note: {}\n-----\nspam", post["url"].as_str().unwrap());
        peer.send(&eve, &server, &flag("3", json!(here), &words)).await;
        assert_eq!(filed(&server).await[0].statuses().len(), 1);
        // A post alone means its author.
        peer.send(&eve, &server, &flag("4", json!([post["uri"]]), &"x".repeat(9_000))).await;
        let report = filed(&server).await[0].clone();
        assert_eq!((report.target_id, report.comment.chars().count()), (bob.account, 5_000));
    }

    async fn reports_cannot_flood(server, peer, bob) {
        let (eve, here) = (peer.somebody("eve"), uri_of(&server, &bob));
        let base = server.parts().site.base_url.clone();
        let nobody: Vec<String> = (0..10_000).map(|n| format!("{base}/users/nobody{n}")).collect();
        for object in [json!(nobody), json!([format!("{base}/users/nobody")]), json!(["https://else.example/users/x"]), json!([{}]), json!([eve.uri])] {
            let flag = peer.activity(&eve, ("Flag", &format!("n{}", object.to_string().len())), object);
            peer.post(&peer.sign(&eve, &server, &flag), |_, _| {}).await;
        }
        server.settle().await;
        assert_eq!(filed(&server).await.len(), 0);
        for n in 0..60 {
            let mut flag = peer.activity(&eve, ("Flag", &format!("f{n}")), json!([here]));
            flag["content"] = json!(format!("number {n}"));
            assert_eq!(peer.post(&peer.sign(&eve, &server, &flag), |_, _| {}).await, 202);
        }
        server.settle().await;
        let all = reports::list(&server.db().read().await.unwrap(), Which::Open, Page::newest(100)).await.unwrap();
        assert_eq!(all.len(), 50);
    }

    async fn a_server_may_not_report(server, peer, bob) {
        let (eve, here) = (peer.somebody("eve"), uri_of(&server, &bob));
        block(&server, &peer, Severity::Noop, |block| block.reject_reports = true).await;
        peer.send(&eve, &server, &peer.activity(&eve, ("Flag", "1"), json!([here]))).await;
        assert_eq!(filed(&server).await.len(), 0);
    }
}
