//! https: which certificate, which version, which protocol above it.

mod certificates;
mod files;

pub(super) use certificates::Certificate;
pub use certificates::{BadCertificate, Certificates};
pub use files::BadFile;
pub(super) use files::Files;

use super::acme::Challenges;
use super::config::{TlsConfig, TlsVersion};
use super::guard::Guarded;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, Ticketer, cipher_suite as suite};
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert, ServerConfig};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ProtocolVersion, SupportedCipherSuite};
use std::io;
use std::sync::Arc;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// Protocol by which a certificate authority asks for the answer to its challenge (RFC 8737).
pub(super) const ACME_TLS: &[u8] = b"acme-tls/1";

/// The longest packet of the loopback.
const PACKET: usize = 65_483;

/// How https is spoken. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    usual: Arc<ServerConfig>,
    /// For clients whose first wish is ChaCha20: without AES in hardware it saves them much.
    weak: Arc<ServerConfig>,
    challenge: Arc<ServerConfig>,
}

/// A connection that is encrypted now.
#[derive(Debug)]
pub(super) enum Agreed {
    Http1(Box<TlsStream<Guarded>>),
    Http2(Box<TlsStream<Guarded>>),
    /// A certificate authority has seen what it wanted to.
    Challenge,
}

/// AES with 128 bits goes first: it is as safe as the rest of what is spoken, and takes a third less time than with 256.
const SUITES: [SupportedCipherSuite; 9] = [
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS13_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

impl Tls {
    pub(super) fn new(
        config: &TlsConfig,
        certificates: Arc<Certificates>,
        challenges: Challenges,
    ) -> Result<Self, rustls::Error> {
        let resolver = Arc::new(ByName(certificates));
        let mut usual = server_config(config, resolver)?;
        usual.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        usual.ticketer = Ticketer::new()?;
        usual.ignore_client_order = true;
        let mut weak = usual.clone();
        weak.ignore_client_order = false;
        let mut challenge = server_config(config, Arc::new(challenges))?;
        challenge.alpn_protocols = vec![ACME_TLS.to_vec()];
        Ok(Self { usual: Arc::new(usual), weak: Arc::new(weak), challenge: Arc::new(challenge) })
    }

    /// Agrees with the client on encryption. The caller limits the time.
    pub(super) async fn agree(&self, stream: Guarded) -> io::Result<Agreed> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let config = self.choose(&start.client_hello());
        let is_challenge = Arc::ptr_eq(&config, &self.challenge);
        let mut stream = start.into_stream(config).await?;
        if is_challenge {
            tokio::io::AsyncWriteExt::shutdown(&mut stream).await?;
            return Ok(Agreed::Challenge);
        }
        let connection = stream.get_mut().1;
        let limit = written_at_once(connection.protocol_version());
        connection.set_buffer_limit(Some(limit));
        let stream = Box::new(stream);
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Ok(Agreed::Http2(stream)),
            _ => Ok(Agreed::Http1(stream)),
        }
    }

    fn choose(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let mut protocols = hello.alpn().into_iter().flatten();
        if protocols.next() == Some(ACME_TLS) && protocols.next().is_none() {
            return self.challenge.clone();
        }
        let first = hello.cipher_suites().iter().find(|suite| !is_grease(**suite));
        match first {
            Some(
                CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            ) => self.weak.clone(),
            _ => self.usual.clone(),
        }
    }
}

/// Most that is encrypted before it is written. With what four records add to it, it fits one packet of the loopback; else
/// a proxy on the same machine is sent two packets for each write.
fn written_at_once(version: Option<ProtocolVersion>) -> usize {
    // A record's head and checksum; TLS 1.3 adds what kind of record it is, 1.2 with AES a number of eight bytes.
    let added = match version {
        Some(ProtocolVersion::TLSv1_3) => 5 + 1 + 16,
        _ => 5 + 8 + 16,
    };
    PACKET - 4 * added
}

/// Values that browsers put in so that servers get used to what they do not know (RFC 8701).
fn is_grease(suite: CipherSuite) -> bool {
    u16::from(suite) & 0x0f0f == 0x0a0a
}

fn server_config(config: &TlsConfig, resolver: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
    let provider = CryptoProvider { cipher_suites: SUITES.to_vec(), ..aws_lc_rs::default_provider() };
    let versions: &[_] = match config.min_version {
        TlsVersion::V1_2 => &[&TLS13, &TLS12],
        TlsVersion::V1_3 => &[&TLS13],
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(versions)?;
    Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
}

/// Chooses the certificate by the name that the client asks for.
#[derive(Debug)]
struct ByName(Arc<Certificates>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
        self.0.find(hello.server_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::{PrivateKeyDer, ServerName};
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection, SupportedProtocolVersion};
    use std::io::Write as _;

    /// How long what is written at once is on the line.
    fn on_the_line(version: &'static SupportedProtocolVersion, suite: SupportedCipherSuite) -> usize {
        let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(CryptoProvider { cipher_suites: vec![suite], ..aws_lc_rs::default_provider() });
        let client = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let client = client.with_root_certificates(roots).with_no_client_auth();
        let server =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let name = ServerName::try_from("a.example").unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            let mut bytes = Vec::new();
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut bytes.as_slice()).unwrap();
            client.process_new_packets().unwrap();
        }
        while server.wants_write() {
            server.write_tls(&mut Vec::new()).unwrap();
        }
        let limit = written_at_once(server.protocol_version());
        server.set_buffer_limit(Some(limit));
        let taken = server.writer().write(&vec![7; 1 << 20]).unwrap();
        assert!(taken < PACKET, "{taken}");
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        bytes.len()
    }

    #[test]
    fn a_write_fills_one_packet_and_no_second_one() {
        for (version, suite) in [
            (&TLS13, suite::TLS13_AES_128_GCM_SHA256),
            (&TLS13, suite::TLS13_CHACHA20_POLY1305_SHA256),
            (&TLS12, suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
            (&TLS12, suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        ] {
            let length = on_the_line(version, suite);
            assert!((PACKET - 40..=PACKET).contains(&length), "{suite:?}: {length}");
        }
    }
}
