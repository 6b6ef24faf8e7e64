//! Knocking: a signature that is not understood is made again in another form.

use super::body::settle;
use super::refusal::refused_in_words;
use super::request::Answer;
use super::send::{Outgoing, Patience};
use super::target::Target;
use super::{Error, Fetcher};
use crate::signatures::{Form, Outgoing as ToSign, Payload, Signer};
use axum::http::{HeaderMap, Method};
use domain::Time;
use url::Url;

/// These answer a signature that they do not understand with 404.
const SILENT: &[&str] = &["threads.net", "www.threads.net", "threads.com", "www.threads.com"];

/// (who signs, what is posted, headers that are signed besides)
pub(super) type Signing<'a> = (&'a Signer, Option<&'a Payload>, &'a [(&'static str, String)]);

impl Fetcher {
    /// Sends `out`, signed; what is refused for its signature is signed in the next form and sent again.
    pub(super) async fn knock(
        &self,
        (target, out): (&Target, Outgoing<'_>),
        (signer, payload, extra): Signing<'_>,
        patience: Patience,
    ) -> Result<Answer, Error> {
        let host = target.host();
        let known = self.form(&host);
        let mut forms = forms(known, out.url).into_iter().peekable();
        let mut refused = None;
        loop {
            let form = forms.next().unwrap_or_default();
            let mut headers = out.headers.clone();
            headers.extend(self.signed(form, &out, (signer, payload, extra)).await?);
            let signed = Outgoing { method: out.method.clone(), url: out.url, headers, body: out.body.clone() };
            let (response, lease) = self.0.send(target, &signed, patience).await?;
            let status = response.status();
            if is_refusal(status.as_u16(), &host, (&out.method, known.is_some())) {
                // What the form said that everybody knows is what counts if none helps.
                let told = match payload {
                    Some(_) => refused_in_words(response, lease, patience).await,
                    None => {
                        let told = super::refusal::refused(&response);
                        settle(response, lease, patience).await;
                        told
                    }
                };
                let why = refused.unwrap_or(told);
                if forms.peek().is_none() {
                    return Err(why);
                }
                refused = Some(why);
                continue;
            }
            // Only what was refused before proves that this form made the difference.
            if status.is_success() && refused.is_some() {
                self.prefer(&host, form);
            }
            return Ok(Answer { response, lease, form: Some(form) });
        }
    }

    /// Signing takes most of a millisecond of computing: aside, as many at once as there are processors, so that a post
    /// that goes to thousands keeps nobody waiting who asks this server for something.
    async fn signed(&self, form: Form, out: &Outgoing<'_>, signing: Signing<'_>) -> Result<HeaderMap, Error> {
        let (signer, payload, extra) = (signing.0.clone(), signing.1.cloned(), signing.2.to_vec());
        let (method, url) = (out.method.clone(), out.url.clone());
        let _turn = self.0.signing.acquire().await.map_err(|_| Error::Busy)?;
        let signed = tokio::task::spawn_blocking(move || {
            let to_sign = ToSign { method: &method, url: &url, payload: payload.as_ref(), extra: &extra };
            signer.sign(form, &to_sign, Time::now())
        });
        Ok(signed.await.map_err(|_| Error::Busy)??)
    }
}

/// In which order to try.
fn forms(known: Option<Form>, url: &Url) -> Vec<Form> {
    let first = known.unwrap_or_default();
    let all = [first, Form::Cavage, Form::CavagePathOnly, Form::Rfc9421];
    // Without a query two of them are the same.
    let twin = match first {
        _ if url.query().is_some() => None,
        Form::CavagePathOnly => Some(Form::Cavage),
        Form::Cavage | Form::Rfc9421 => Some(Form::CavagePathOnly),
    };
    let others = all.into_iter().skip(1).filter(|form| *form != first && Some(*form) != twin);
    std::iter::once(first).chain(others).collect()
}

/// Whether the signature may be the reason. A host whose form is known says 403 because it means it, and 404 to who only
/// asks for something.
fn is_refusal(status: u16, host: &str, (method, known): (&Method, bool)) -> bool {
    match status {
        400 | 401 => true,
        403 => !known,
        404 => SILENT.contains(&host) && (*method == Method::POST || !known),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_for_the_signature() {
        for (status, host, (method, known), is) in [
            (400, "a.example", (Method::POST, true), true),
            (401, "a.example", (Method::GET, true), true),
            (403, "a.example", (Method::POST, false), true),
            (403, "a.example", (Method::POST, true), false),
            (404, "a.example", (Method::POST, false), false),
            (404, "threads.net", (Method::POST, true), true),
            (404, "threads.net", (Method::GET, false), true),
            (404, "threads.net", (Method::GET, true), false),
            (404, "a.example", (Method::GET, false), false),
            (410, "threads.net", (Method::POST, false), false),
            (503, "a.example", (Method::POST, false), false),
        ] {
            assert_eq!(is_refusal(status, host, (&method, known)), is, "{status} {host} {method} {known}");
        }
    }

    #[test]
    fn what_is_tried_after_what() {
        use Form::{Cavage, CavagePathOnly, Rfc9421};
        let plain = Url::parse("https://a.example/inbox").unwrap();
        let query = Url::parse("https://a.example/x?page=1").unwrap();
        assert_eq!(forms(None, &plain), [Cavage, Rfc9421]);
        assert_eq!(forms(Some(Cavage), &plain), [Cavage, Rfc9421]);
        assert_eq!(forms(Some(Rfc9421), &plain), [Rfc9421, Cavage]);
        assert_eq!(forms(Some(CavagePathOnly), &plain), [CavagePathOnly, Rfc9421]);
        assert_eq!(forms(None, &query), [Cavage, CavagePathOnly, Rfc9421]);
        assert_eq!(forms(Some(CavagePathOnly), &query), [CavagePathOnly, Cavage, Rfc9421]);
    }
}
