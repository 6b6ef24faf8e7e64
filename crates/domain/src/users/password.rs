//! Passwords: Argon2id with the parameters that OWASP recommends. Few are computed at once, so that a crowd at the
//! door costs time and not memory.
//!
//! <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>

use crate::{Error, Result, secrets};
use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version,
    password_hash::{PasswordHasher, SaltString},
};
use std::time::Duration;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

/// KiB for one computation.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many are computed at once.
static PLACES: Semaphore = Semaphore::const_new(2);
/// How long to wait for a place.
const PATIENCE: Duration = Duration::from_secs(10);
/// A longer text is never a password here; in bytes.
const LONGEST: usize = 1024;

/// The stored form of a password.
pub async fn hash(password: &str) -> Result<String> {
    let salt = SaltString::encode_b64(&secrets::random::<16>()?).map_err(foreign)?;
    let password = normal(password);
    compute(move || {
        let hash = argon2()?.hash_password(password.as_bytes(), &salt).map_err(foreign)?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether `password` is the one that `stored` was made of. Takes as long when there is none stored: how long the answer
/// takes does not tell who has an account.
///
/// [`Error::Busy`] when too many ask at once.
pub async fn verify(password: &str, stored: Option<&str>) -> Result<bool> {
    let stored = stored.filter(|text| !text.is_empty() && password.len() <= LONGEST).map(str::to_owned);
    let password = normal(password.get(..LONGEST).unwrap_or(password));
    compute(move || {
        let argon2 = argon2()?;
        match stored.as_deref().and_then(|text| PasswordHash::new(text).ok()) {
            Some(hash) => Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok()),
            None => {
                let mut out = [0; 32];
                argon2.hash_password_into(password.as_bytes(), b"nobody has this", &mut out).map_err(foreign)?;
                Ok(false)
            }
        }
    })
    .await
}

async fn compute<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let place = tokio::time::timeout(PATIENCE, PLACES.acquire()).await;
    let Ok(Ok(place)) = place else { return Err(Error::Busy(PATIENCE)) };
    tokio::task::spawn_blocking(move || {
        // Held by the work, not by whoever waits for it: they may go away.
        let _place = place;
        work()
    })
    .await?
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(foreign)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The same password typed on another system may come in other code points.
fn normal(password: &str) -> String {
    password.nfkc().collect()
}

fn foreign(e: impl std::fmt::Display) -> Error {
    Error::internal(format!("argon2: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let stored = hash("ｎｏｒｅｎ暖簾 が").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("noren暖簾 か\u{3099}", Some(&stored)).await.unwrap());
        assert!(!verify("noren", Some(&stored)).await.unwrap());
        assert_ne!(stored, hash("ｎｏｒｅｎ暖簾 が").await.unwrap(), "salted");
        for none in [None, Some(""), Some("nonsense")] {
            assert!(!verify("", none).await.unwrap());
        }
        assert!(!verify(&"x".repeat(100_000), Some(&stored)).await.unwrap());
    }
}
