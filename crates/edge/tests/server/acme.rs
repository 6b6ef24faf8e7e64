//! Certificates from a real authority (pebble, from Debian), which really looks at what is shown to it.

use crate::ports::free_port;
use crate::support::{Running, encrypt, get_request, heard, listen, plain, router};
use edge::server::config::{ChallengeKind, ListenConfig, Serve};
use edge::server::values::HostName;
use edge::server::{Server, Setup, Sockets};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Longest that an authority may take here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A name that no certificate is given for.
const REFUSED: &str = "refused.example";

/// pebble with a name server that leads every name to this machine. Ended when it is dropped.
struct Authority {
    children: Vec<Child>,
    folder: tempfile::TempDir,
    directory: String,
    management: u16,
}

impl Drop for Authority {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What it is asked to do.
struct Wish {
    /// Where it looks for http-01 and tls-alpn-01.
    ports: (u16, u16),
    /// Seconds that its certificates are good for.
    life: u32,
    /// Nonces that it refuses without a reason, of a hundred.
    refuses: u8,
}

fn spawn(command: &mut Command) -> Child {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child
        .unwrap_or_else(|error| panic!("{:?}: {error} (scripts/install-test-tools installs it)", command.get_program()))
}

impl Authority {
    /// None when it is left out (NOREN_TEST_AUTHORITY=no).
    async fn start(wish: Wish) -> Option<Self> {
        if std::env::var("NOREN_TEST_AUTHORITY").is_ok_and(|wanted| wanted == "no") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (api, management, names, orders) = (free_port(), free_port(), free_port(), free_port());
        own_certificate(folder.path());
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{api}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": path("api.pem"),
            "privateKey": path("api.key"),
            "httpPort": wish.ports.0,
            "tlsPort": wish.ports.1,
            "certificateValidityPeriod": wish.life,
            "domainBlocklist": [REFUSED],
        }});
        std::fs::write(path("pebble.json"), config.to_string()).unwrap();
        let off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""];
        let name_server = spawn(Command::new("pebble-challtestsrv").args(off).args([
            "-dns01",
            &format!("127.0.0.1:{names}"),
            "-management",
            &format!("127.0.0.1:{orders}"),
        ]));
        let mut pebble = Command::new("pebble");
        pebble.args(["-config", &path("pebble.json"), "-dnsserver", &format!("127.0.0.1:{names}")]);
        pebble.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", wish.refuses.to_string());
        // Each name is looked at each time.
        pebble.env("PEBBLE_AUTHZREUSE", "0").env_remove("PEBBLE_VA_ALWAYS_VALID");
        let children = vec![name_server, spawn(&mut pebble)];
        let directory = format!("https://127.0.0.1:{api}/dir");
        let authority = Self { children, folder, directory, management };
        let started = Instant::now();
        for port in [orders, management, api] {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                assert!(started.elapsed() < PATIENCE, "the authority does not start");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Some(authority)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// A client that trusts what it signs.
    async fn client(&self) -> ClientConfig {
        let mut trusted = RootCertStore::empty();
        trusted.add(CertificateDer::from_pem_file(self.root()).unwrap()).unwrap();
        let own = ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth();
        let tcp = TcpStream::connect(("127.0.0.1", self.management)).await.unwrap();
        let mut stream = encrypt(tcp, own, "localhost", &["http/1.1"]).await.unwrap();
        stream.write_all(get_request("/roots/0", "connection: close\r\n").as_bytes()).await.unwrap();
        let text = heard(&mut stream).await;
        let pem = &text[text.find("-----BEGIN").unwrap()..];
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
    }
}

/// The certificate of the authority's own API, and the root that it comes from.
fn own_certificate(folder: &Path) {
    let mut root = rcgen::CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_key = rcgen::KeyPair::generate().unwrap();
    let root_certificate = root.self_signed(&root_key).unwrap();
    let issuer = rcgen::Issuer::new(root, root_key);
    let own = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = own.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("root.pem"), root_certificate.pem()).unwrap();
    std::fs::write(folder.join("api.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("api.key"), key.serialize_pem()).unwrap();
}

fn names(list: &[&str]) -> Vec<HostName> {
    list.iter().map(|name| name.parse().unwrap()).collect()
}

/// A server that gets its certificates from `authority` and keeps them in `data`.
struct Site {
    data: tempfile::TempDir,
    listen: Vec<ListenConfig>,
    sockets: Option<Sockets>,
    http: u16,
    https: u16,
}

impl Site {
    /// Redirects and serves https at ports that are known before the authority starts.
    fn new() -> Self {
        let listen = vec![listen(Serve::Redirect), listen(Serve::Https)];
        let sockets = Sockets::default().bind(&listen).unwrap();
        let [http, https] = sockets.addresses()[..] else { unreachable!() };
        let data = tempfile::tempdir().unwrap();
        Self { data, listen, sockets: Some(sockets), http: http.port(), https: https.port() }
    }

    fn start(&mut self, change: impl FnOnce(&mut Setup)) -> Running {
        let asked = Default::default();
        let mut setup = Setup::http(self.listen.clone(), router("one", &asked));
        setup.data = self.data.path().to_owned();
        change(&mut setup);
        let stop = CancellationToken::new();
        let sockets = self.sockets.take().unwrap_or_default();
        let server = Server::start(setup, sockets, stop.clone()).unwrap();
        let addresses = server.addresses();
        (self.http, self.https) = (addresses[0].port(), addresses[1].port());
        Running { server, stop, asked }
    }

    /// The certificate that is shown for `name` to who trusts this authority, if there is one.
    async fn shown(&self, client: &ClientConfig, name: &str) -> std::io::Result<Vec<u8>> {
        // A ticket would hide it.
        let mut client = client.clone();
        client.resumption = rustls::client::Resumption::disabled();
        let tcp = TcpStream::connect(("127.0.0.1", self.https)).await?;
        let mut stream = encrypt(tcp, client, name, &["http/1.1"]).await?;
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        stream.write_all(get_request("/who", "connection: close\r\n").as_bytes()).await?;
        assert!(heard(&mut stream).await.contains("Https"));
        Ok(shown)
    }

    /// Waits for another certificate than this one.
    async fn another(&self, client: &ClientConfig, name: &str, before: &[u8]) -> Vec<u8> {
        let started = Instant::now();
        loop {
            match self.shown(client, name).await {
                Ok(shown) if shown != before => return shown,
                last => assert!(started.elapsed() < PATIENCE, "{name}: {:?}", last.map(|shown| shown.len())),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn use_authority<'a>(authority: &'a Authority, list: &'a [&str]) -> impl FnOnce(&mut Setup) + 'a {
    move |setup| {
        setup.acme.names = names(list);
        setup.acme.directory = authority.directory.parse().unwrap();
        setup.acme.root = Some(authority.root());
        setup.acme.email = Some("admin@a.example".into());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_proved_by_http() {
    let mut site = Site::new();
    // Nothing is at the other port: it must be the first way that works.
    let wish = Wish { ports: (site.http, free_port()), life: 86400, refuses: 0 };
    let Some(authority) = Authority::start(wish).await else { return };
    let client = authority.client().await;
    let running = site.start(use_authority(&authority, &["a.example", "b.example"]));
    let first = site.another(&client, "a.example", &[]).await;
    let second = site.another(&client, "b.example", &[]).await;
    assert_ne!(first, second, "each name has its own");
    let mut stream = TcpStream::connect(("127.0.0.1", site.http)).await.unwrap();
    stream.write_all(get_request("/x", "").as_bytes()).await.unwrap();
    let text = heard(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 301"), "{text}");

    let folder = std::fs::read_dir(site.data.path().join("acme")).unwrap().next().unwrap().unwrap().path();
    for file in ["account.json", "a.example.pem", "b.example.pem"] {
        assert_eq!(std::fs::metadata(folder.join(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }

    // The authority is gone, and the server starts again: it shows what it has.
    running.stop.cancel();
    running.server.finished().await;
    let settings = use_authority(&authority, &["a.example", "b.example", "new.example"]);
    let mut setup = Setup::http(Vec::new(), axum::Router::new());
    settings(&mut setup);
    drop(authority);
    let _again = site.start(|new| new.acme = setup.acme);
    assert_eq!(site.shown(&client, "a.example").await.unwrap(), first);
    assert_eq!(site.shown(&client, "b.example").await.unwrap(), second);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(site.shown(&client, "a.example").await.unwrap(), first, "failures change nothing");
    assert!(site.shown(&client, "new.example").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_proved_by_tls() {
    let mut site = Site::new();
    let wish = Wish { ports: (free_port(), site.https), life: 86400, refuses: 0 };
    let Some(authority) = Authority::start(wish).await else { return };
    let client = authority.client().await;
    let _running = site.start(|setup| {
        use_authority(&authority, &["a.example"])(setup);
        setup.acme.challenge = Some(ChallengeKind::TlsAlpn01);
    });
    site.another(&client, "a.example", &[]).await;
    // Afterwards nothing is shown to who comes as an authority.
    let tcp = TcpStream::connect(("127.0.0.1", site.https)).await.unwrap();
    assert!(encrypt(tcp, client, "a.example", &["acme-tls/1"]).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_renewed_although_messages_cross() {
    let mut site = Site::new();
    let wish = Wish { ports: (site.http, site.https), life: 9, refuses: 25 };
    let Some(authority) = Authority::start(wish).await else { return };
    let client = authority.client().await;
    let _running = site.start(use_authority(&authority, &["a.example"]));
    let first = site.another(&client, "a.example", &[]).await;
    let second = site.another(&client, "a.example", &first).await;
    site.another(&client, "a.example", &second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_name_that_cannot_be_proved_holds_up_no_other() {
    let mut site = Site::new();
    let wish = Wish { ports: (site.http, site.https), life: 86400, refuses: 0 };
    let Some(authority) = Authority::start(wish).await else { return };
    let client = authority.client().await;
    let _running = site.start(use_authority(&authority, &[REFUSED, "a.example"]));
    site.another(&client, "a.example", &[]).await;
    assert!(site.shown(&client, REFUSED).await.is_err());
}

/// Reading the configuration again can bring names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_can_be_added_while_it_runs() {
    let mut site = Site::new();
    let wish = Wish { ports: (site.http, site.https), life: 86400, refuses: 0 };
    let Some(authority) = Authority::start(wish).await else { return };
    let client = authority.client().await;
    let running = site.start(use_authority(&authority, &["a.example"]));
    let first = site.another(&client, "a.example", &[]).await;
    let mut setup = Setup::http(site.listen.clone(), router("two", &running.asked));
    setup.data = site.data.path().to_owned();
    setup.listen.push(plain("127.0.0.1:0"));
    use_authority(&authority, &["a.example", "b.example"])(&mut setup);
    running.server.reload(setup).unwrap();
    assert_eq!(site.shown(&client, "a.example").await.unwrap(), first);
    site.another(&client, "b.example", &[]).await;
}
