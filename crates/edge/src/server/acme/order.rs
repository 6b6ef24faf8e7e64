//! One certificate from an authority: an order, the proof that the name leads here, the certificate.

use super::challenges::{Asked, Challenges, Shows};
use super::folder::Folder;
use crate::server::config::{AcmeConfig, ChallengeKind};
use crate::server::tls::{BadCertificate, Certificate};
use crate::server::values::HostName;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error as AcmeError, ExternalAccountKey,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use std::time::Duration;

/// For the whole order: an authority that does not answer must not hold up the other names.
const PATIENCE: Duration = Duration::from_secs(300);
/// For each of the steps that an authority takes its time for.
const STEP: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(90));
/// Times that an order is begun anew at once, when it failed only because messages crossed.
const AGAIN: u32 = 4;
const BAD_NONCE: &str = "urn:ietf:params:acme:error:badNonce";
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Authority(#[from] AcmeError),
    #[error("the authority does not offer the challenge {0:?}")]
    NotOffered(ChallengeKind),
    #[error("the authority could not see that this name leads here: {0}")]
    Refused(String),
    #[error("the authority did not answer in time")]
    TimedOut,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the kept account cannot be read: {0}")]
    Account(#[from] serde_json::Error),
    #[error("{0}")]
    Crypto(#[from] rcgen::Error),
    #[error("the authority gave a certificate that cannot be used: {0}")]
    Useless(#[from] BadCertificate),
    #[error("acme.external_key is not base64url")]
    ExternalKey,
}

impl Failure {
    fn is(&self, kind: &str) -> bool {
        matches!(self, Self::Authority(AcmeError::Api(problem)) if problem.r#type.as_deref() == Some(kind))
    }
}

/// What it takes to order. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Orders {
    pub(super) config: AcmeConfig,
    pub(super) folder: Folder,
    pub(super) challenges: Challenges,
}

impl Orders {
    /// Gets a certificate for `name` and keeps it. When messages crossed (a nonce was used up) the library has tried
    /// again already, but not everywhere: the whole order is begun anew then.
    pub(super) async fn certificate(&self, name: &HostName, kind: ChallengeKind) -> Result<Certificate, Failure> {
        let mut pause = Duration::from_millis(500);
        for _ in 0..AGAIN {
            match self.once(name, kind).await {
                Err(failure) if failure.is(BAD_NONCE) => {}
                Err(failure) if failure.is(NO_ACCOUNT) => self.folder.forget_account()?,
                other => return other,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.once(name, kind).await
    }

    async fn once(&self, name: &HostName, kind: ChallengeKind) -> Result<Certificate, Failure> {
        let order = async {
            let account = self.account().await?;
            self.order(&account, name, kind).await
        };
        let pem = tokio::time::timeout(PATIENCE, order).await.map_err(|_| Failure::TimedOut)??;
        let certificate = Certificate::read(pem.as_bytes(), pem.as_bytes())?;
        if !certificate.names.iter().any(|one| one == name.as_str()) {
            return Err(BadCertificate::NoName.into());
        }
        self.folder.keep_certificate(name, &pem)?;
        Ok(certificate)
    }

    /// The account that was kept, else a new one.
    async fn account(&self) -> Result<Account, Failure> {
        let builder = match &self.config.root {
            Some(root) => Account::builder_with_root(root)?,
            None => Account::builder()?,
        };
        if let Some(kept) = self.folder.account()? {
            let credentials: AccountCredentials = serde_json::from_slice(&kept)?;
            return Ok(builder.from_credentials(credentials).await?);
        }
        let contact: Vec<String> = self.config.email.iter().map(|email| format!("mailto:{email}")).collect();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let external = self.external_key()?;
        let directory = self.config.directory.as_str().to_owned();
        let (account, credentials) = builder.create(&new, directory, external.as_ref()).await?;
        self.folder.keep_account(&serde_json::to_vec(&credentials)?)?;
        Ok(account)
    }

    fn external_key(&self) -> Result<Option<ExternalAccountKey>, Failure> {
        let (Some(id), Some(key)) = (&self.config.external_id, &self.config.external_key) else { return Ok(None) };
        let key =
            URL_SAFE_NO_PAD.decode(key.reveal().trim().trim_end_matches('=')).map_err(|_| Failure::ExternalKey)?;
        Ok(Some(ExternalAccountKey::new(id.clone(), &key)))
    }

    /// Key and chain in PEM.
    async fn order(&self, account: &Account, name: &HostName, kind: ChallengeKind) -> Result<String, Failure> {
        let names = [Identifier::Dns(name.to_string())];
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        let shown = self.prove(&mut order, name, kind).await?;
        let status = order.poll_ready(&STEP).await?;
        drop(shown);
        if status != OrderStatus::Ready {
            return Err(Failure::Refused(why(&mut order).await));
        }
        let key = KeyPair::generate()?;
        let mut wanted = CertificateParams::new(vec![name.to_string()])?;
        wanted.distinguished_name = DistinguishedName::new();
        order.finalize_csr(wanted.serialize_request(&key)?.der()).await?;
        let chain = order.poll_certificate(&STEP).await?;
        Ok(format!("{}{chain}", key.serialize_pem()))
    }

    /// Shows what the authority wants to see, and asks it to look.
    async fn prove(&self, order: &mut Order, name: &HostName, kind: ChallengeKind) -> Result<Vec<Shows>, Failure> {
        let mut shown = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let offered = match kind {
                ChallengeKind::Http01 => ChallengeType::Http01,
                ChallengeKind::TlsAlpn01 => ChallengeType::TlsAlpn01,
            };
            let mut challenge = authorization.challenge(offered).ok_or(Failure::NotOffered(kind))?;
            let (answer, token) = (challenge.key_authorization(), challenge.token.clone());
            let (name, digest) = (name.as_str(), answer.digest());
            let asked = Asked { name, token: &token, authorization: answer.as_str(), digest: digest.as_ref() };
            shown.push(self.challenges.show(kind, asked)?);
            challenge.set_ready().await?;
        }
        Ok(shown)
    }
}

/// What the authority says went wrong, as far as it tells.
async fn why(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if let Ok(state) = authorization.refresh().await {
            let problem = state.challenges.iter().find_map(|challenge| challenge.error.as_ref());
            if let Some(problem) = problem {
                return problem.to_string();
            }
        }
    }
    "it does not say why".to_owned()
}
