//! What an admin sets up once: the bucket itself, who may read it, and which pages may.

use super::body::Payload;
use super::call::Call;
use super::{Bucket, Error, Provider, Result, xml};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use rusty_s3::Method;
use serde_json::json;

/// Who may read objects without a signature. Nobody may ever list or write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everybody who knows a key that begins with one of these (inside the bucket's prefix; an empty text is all).
    PublicRead(Vec<String>),
    /// Nobody.
    Private,
}

/// Whether a bucket is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It was made.
    New,
    /// It was there and is ours.
    Already,
}

impl Bucket {
    /// Makes the bucket.
    pub async fn create(&self) -> Result<Created> {
        let mut call = Call::new(Method::Put, None);
        let told = self.preset().is_some_and(|preset| preset.location) && self.region() != "us-east-1";
        if told {
            let region = xml::escaped(self.region());
            let body = format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            );
            call = call.payload(Payload::Bytes(body.into()));
        }
        match self.send(&call).await {
            Ok(_) => Ok(Created::New),
            Err(Error::Refused { status: 409, code, .. }) if code == "BucketAlreadyOwnedByYou" => Ok(Created::Already),
            // Some say so of our own buckets too; nobody else's can be looked into.
            Err(Error::Taken(name)) => match self.is_there().await {
                Ok(true) => Ok(Created::Already),
                _ => Err(Error::Taken(name)),
            },
            Err(error) => Err(error),
        }
    }

    /// Whether there is such a bucket and the keys may look into it.
    pub async fn is_there(&self) -> Result<bool> {
        match self.send(&Call::new(Method::Head, None)).await {
            Ok(_) => Ok(true),
            Err(Error::NoBucket(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sets who may read, by the bucket's policy.
    pub async fn set_policy(&self, access: &Access) -> Result<()> {
        match access {
            Access::PublicRead(folders) => {
                self.allow_public_policies().await?;
                let policy = self.public_policy(folders);
                self.set("policy", "application/json", policy).await
            }
            Access::Private => match self.send(&Call::new(Method::Delete, None).query("policy", "")).await {
                Ok(_) => Ok(()),
                Err(Error::Refused { status: 404, code, .. }) if code == "NoSuchBucketPolicy" => Ok(()),
                Err(error) => Err(error),
            },
        }
    }

    fn public_policy(&self, folders: &[String]) -> String {
        let resource = |folder: &String| format!("arn:aws:s3:::{}/{}{folder}*", self.name(), self.prefix());
        let resources: Vec<String> = folders.iter().map(resource).collect();
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "PublicRead",
                "Effect": "Allow",
                "Principal": {"AWS": ["*"]},
                "Action": ["s3:GetObject"],
                "Resource": resources,
            }],
        })
        .to_string()
    }

    /// Amazon refuses public policies of new buckets until this is taken away.
    async fn allow_public_policies(&self) -> Result<()> {
        if self.0.provider != Some(Provider::Aws) {
            return Ok(());
        }
        match self.send(&Call::new(Method::Delete, None).query("publicAccessBlock", "")).await {
            Ok(_) | Err(Error::Unsupported { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The bucket's policy as JSON; `None` without one.
    pub async fn policy(&self) -> Result<Option<String>> {
        let text = |answer: &[u8]| Ok(String::from_utf8_lossy(answer).into_owned());
        match self.send_and_read(&Call::new(Method::Get, None).query("policy", ""), text).await {
            Ok(policy) => Ok(Some(policy)),
            Err(Error::Refused { status: 404, code, .. }) if code == "NoSuchBucketPolicy" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets who may read, by a canned ACL of the whole bucket: folders cannot be told apart.
    pub async fn set_acl(&self, access: &Access) -> Result<()> {
        let canned = match access {
            Access::PublicRead(_) => "public-read",
            Access::Private => "private",
        };
        let call = Call::new(Method::Put, None).query("acl", "").header("x-amz-acl", canned);
        self.send(&call).await.map(drop)
    }

    /// Lets pages of these origins ("*" for all) read objects.
    pub async fn set_cors(&self, origins: &[String]) -> Result<()> {
        let origins: String =
            origins.iter().map(|origin| format!("<AllowedOrigin>{}</AllowedOrigin>", xml::escaped(origin))).collect();
        let exposed: String = ["ETag", "Content-Length", "Content-Range", "Accept-Ranges"]
            .iter()
            .map(|header| format!("<ExposeHeader>{header}</ExposeHeader>"))
            .collect();
        let body = format!(
            "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><CORSRule>{origins}\
             <AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod><AllowedHeader>*</AllowedHeader>\
             {exposed}<MaxAgeSeconds>86400</MaxAgeSeconds></CORSRule></CORSConfiguration>"
        );
        self.set("cors", "application/xml", body).await
    }

    /// The origins that may read; empty when nothing is set.
    pub async fn cors(&self) -> Result<Vec<String>> {
        match self.send_and_read(&Call::new(Method::Get, None).query("cors", ""), |answer| self.origins(answer)).await {
            Err(Error::Refused { status: 404, code, .. }) if code == "NoSuchCORSConfiguration" => Ok(Vec::new()),
            answered => answered,
        }
    }

    fn origins(&self, answer: &[u8]) -> Result<Vec<String>> {
        let mut origins = Vec::new();
        xml::read(answer, |path, text| {
            if let ["CORSConfiguration", "CORSRule", "AllowedOrigin"] = path {
                origins.push(text.to_owned());
            }
        })
        .map_err(|why| self.broken(why))?;
        Ok(origins)
    }

    /// Takes the CORS rules away.
    pub async fn remove_cors(&self) -> Result<()> {
        self.send(&Call::new(Method::Delete, None).query("cors", "")).await.map(drop)
    }

    /// These settings have to come with a checksum.
    async fn set(&self, what: &'static str, content_type: &str, body: String) -> Result<()> {
        let checksum = STANDARD.encode(Md5::digest(body.as_bytes()));
        let call = Call::new(Method::Put, None)
            .query(what, "")
            .header("content-type", content_type)
            .header("content-md5", checksum)
            .payload(Payload::Bytes(body.into()));
        self.send(&call).await.map(drop)
    }
}
