//! Two programs that speak https with certificates of an authority that nobody else knows.

use crate::process::Site;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use testkit::until;

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for this machine, and its key.
pub(crate) fn certified(authority: &Authority) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// A site at https://localhost:PORT that is run with `federation` in its configuration.
pub(crate) fn site(name: &str, authority: &Authority, federation: &str) -> Site {
    let mut site = Site::unowned(None);
    let port = site.port;
    settle(&mut site, authority, (federation, port));
    site.own(name);
    site
}

/// The site speaks https; others know it at https://localhost:`known_at`.
pub(crate) fn settle(site: &mut Site, authority: &Authority, (federation, known_at): (&str, u16)) {
    let (chain, key) = certified(authority);
    for (file, text) in [("chain.pem", chain), ("key.pem", key), ("ca.pem", authority.pem())] {
        std::fs::write(site.data.path().join(file), text).unwrap();
    }
    site.scheme = "https";
    // What is shown here is read by the program, not by this client.
    site.client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    configure(site, (federation, known_at));
}

fn configure(site: &Site, (federation, known_at): (&str, u16)) {
    let (folder, port) = (site.data.path().display(), site.port);
    let text = format!(
        "[site]\ndomain = \"localhost:{known_at}\"\nbase_url = \"https://localhost:{known_at}\"\n\
         [[listen]]\naddress = \"127.0.0.1:{port}\"\nserve = \"https\"\n\
         [tls]\ncertificates = [{{ chain = \"{folder}/chain.pem\", key = \"{folder}/key.pem\" }}]\n\
         [federation]\n{}",
        federation.replace("CA", &format!("\"{folder}/ca.pem\""))
    );
    site.configure(&text);
}

pub(crate) const TRUSTING: &str = "authorities = [CA]\nallowed_addresses = [\"127.0.0.1\", \"::1\"]\n";

async fn found(who: &Site, name: &str, port: u16) -> Value {
    let found = who.get(&format!("/api/v2/search?resolve=true&q=@{name}@localhost:{port}")).await;
    found["accounts"][0]["id"].clone()
}

pub(crate) async fn follow(who: &Site, name: &str, port: u16) {
    let there = found(who, name, port).await;
    let there = there.as_str().unwrap();
    who.post(&format!("/api/v1/accounts/{there}/follow"), &[]).await.unwrap();
    until("the follow", async || {
        who.get(&format!("/api/v1/accounts/relationships?id[]={there}")).await[0]["following"] == true
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_of_one_authority_follow_each_other() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    let authority = authority();
    let (a, b) = (site("alice", &authority, TRUSTING), site("bob", &authority, TRUSTING));
    let (_at_a, _at_b) = (a.serve(), b.serve());
    follow(&a, "bob", b.port).await;
    follow(&b, "alice", a.port).await;
    for (from, to) in [(&a, &b), (&b, &a)] {
        let own = from.texts().await.len();
        let fields = [("status", "in private, over https"), ("visibility", "private")];
        from.post("/api/v1/statuses", &fields).await.unwrap();
        until("the post", async || to.texts().await.len() == own + 1).await;
        assert!(to.texts().await.iter().all(|text| text == "<p>in private, over https</p>"));
    }

    // Whoever does not know the authority, or may not ask this machine, finds nobody.
    let c = site("carol", &authority, "allowed_addresses = [\"127.0.0.1\", \"::1\"]\n");
    let at_c = c.serve();
    assert_eq!(found(&c, "alice", a.port).await, json!(null));
    drop(at_c);
    configure(&c, ("authorities = [CA]\nallowed_addresses = [\"10.0.0.1\"]\n", c.port));
    let at_c = c.serve();
    assert_eq!(found(&c, "alice", a.port).await, json!(null));
    drop(at_c);
    configure(&c, (TRUSTING, c.port));
    let _at_c = c.serve();
    assert!(found(&c, "alice", a.port).await.is_string());
}
