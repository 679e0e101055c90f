//! The bucket of people's files: tables that users upload, and results that they download. Each object is named after its tenant,
//! and nobody but the functions and the owner of a signed link reads it.
//!
//! ```text
//! uploads/<tenant>/<id>            a table, uploaded by a signed link; deleted after a day
//! steps/<tenant>/<id>/<name>        what an operation keeps between two steps; deleted after a day
//! results/<tenant>/<id>/<name>     what it made; deleted after a week
//! recordings/<tenant>/contact/<contact>/<id>    the copy of a call's recording; deleted after a day
//! media/<tenant>/contact/<contact>/<message>/<index>    what a customer sent; deleted with its message
//! assets/<tenant>/<id>             a file of the tenant's, for messages; deleted with its asset
//! assets/<tenant>/contact/<contact>/<id>    an attachment of a reply; deleted with its message
//! ```
//!
//! What an operation keeps and makes of one contact is in `<tenant>/contact/<contact>/<id>/` instead, where the contact's erasure finds
//! it, as it finds recordings, media and attachments.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use domain::terms::{ContactId, FileId, MessageId, OperationId, RecordingId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use store::TenantScope;
use ulid::Ulid;

use crate::{ConfigError, Env};

/// Characters to escape in a name of any letters (RFC 8187).
const NOT_IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Longest escaped name in a link, which escapes it once more. Names of 120 letters fit in any script.
const MAX_CHOSEN_LENGTH: usize = 1_440;

#[derive(Clone)]
pub struct Files {
    env: Env,
    bucket: String,
    /// Length of all parts of a file but the last one.
    part: usize,
}

/// A request to the bucket failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}")]
pub struct FileError {
    doing: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl FileError {
    fn new(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            doing,
            source: source.into(),
        }
    }
}

/// Name of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKey(String);

/// The beginning of the names of objects that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(String);

impl Folder {
    /// All files of a contact: those that operations keep and make of it, the copies of its recordings, its media, and the attachments of
    /// replies to it.
    pub fn of_contact(scope: &TenantScope, contact: ContactId) -> [Self; 5] {
        [STEPS, RESULTS, RECORDINGS, MEDIA, ASSETS].map(|kind| Self::of(kind, scope, contact))
    }

    /// Files of a tenant that no rule of the bucket deletes: its customers' media, and its assets and attachments.
    pub fn of_tenant(scope: &TenantScope) -> [Self; 2] {
        let tenant = lower(scope.tenant().ulid());
        [MEDIA, ASSETS].map(|kind| Self(format!("{kind}/{tenant}/")))
    }

    /// Files that one operation keeps and makes of a contact.
    pub fn of_archive(scope: &TenantScope, contact: ContactId, operation: OperationId) -> [Self; 2] {
        let operation = lower(operation.ulid());
        [STEPS, RESULTS].map(|kind| {
            let Self(folder) = Self::of(kind, scope, contact);
            Self(format!("{folder}{operation}/"))
        })
    }

    fn of(kind: &str, scope: &TenantScope, contact: ContactId) -> Self {
        let (tenant, contact) = (lower(scope.tenant().ulid()), lower(contact.ulid()));
        Self(format!("{kind}/{tenant}/contact/{contact}/"))
    }

    /// An object of this name in it.
    pub fn file(&self, name: &str) -> FileKey {
        FileKey(format!("{}{name}", self.0))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Kinds of objects, which lifecycle rules tell apart.
const STEPS: &str = "steps";
const RESULTS: &str = "results";
const RECORDINGS: &str = "recordings";
const MEDIA: &str = "media";
const ASSETS: &str = "assets";

fn lower(id: Ulid) -> String {
    id.to_string().to_ascii_lowercase()
}

impl FileKey {
    fn of(kind: &str, scope: &TenantScope, id: Ulid) -> Self {
        Self(format!("{kind}/{}/{}", lower(scope.tenant().ulid()), lower(id)))
    }

    /// The table that is uploaded for this import, or the file for this asset.
    pub fn upload(scope: &TenantScope, id: Ulid) -> Self {
        Self::of("uploads", scope, id)
    }

    /// File that an operation keeps under this name.
    pub fn step(scope: &TenantScope, operation: Ulid, name: &str) -> Self {
        let Self(folder) = Self::of(STEPS, scope, operation);
        Self(format!("{folder}/{name}"))
    }

    /// File that an operation makes under this name.
    pub fn result(scope: &TenantScope, operation: Ulid, name: &str) -> Self {
        let Self(folder) = Self::of(RESULTS, scope, operation);
        Self(format!("{folder}/{name}"))
    }

    /// The copy of a recording of this contact's.
    pub fn recording(scope: &TenantScope, contact: ContactId, recording: RecordingId) -> Self {
        Folder::of(RECORDINGS, scope, contact).file(&lower(recording.ulid()))
    }

    /// A medium of a customer's message, by its place among the message's.
    pub fn medium(scope: &TenantScope, message: MessageId, index: u8) -> Self {
        let folder = Folder::of(MEDIA, scope, message.contact());
        folder.file(&format!("{}/{index}", lower(message.own())))
    }

    /// The file of an asset or attachment.
    pub fn asset(scope: &TenantScope, id: impl Into<FileId>) -> Self {
        match id.into() {
            FileId::Asset(asset) => Self::of(ASSETS, scope, asset.ulid()),
            FileId::Attachment(id) => Folder::of(ASSETS, scope, id.contact()).file(&lower(id.own())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A link that anybody may use until it expires.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedLink {
    pub url: String,
    /// Headers that the request must have.
    pub headers: BTreeMap<String, String>,
}

/// Facts about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Size in bytes.
    pub size: u64,
    /// Tag, which changes with the content.
    pub etag: String,
}

/// A part of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Its bytes; none behind the end.
    Bytes(Vec<u8>),
    /// The object is gone, or has another content.
    Changed,
}

/// A file that is written in pieces, by one step of an operation after the other. Part of a checkpoint: a step that is made again
/// begins with the state of the checkpoint, and writes the same objects again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// Id of the upload in parts, once the file is longer than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload: Option<String>,
    /// Tags of its parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
    /// Number of the object with the bytes that are not yet a part; 0: there are none.
    #[serde(default)]
    rest: u32,
    /// Number of such objects so far.
    #[serde(default)]
    rests: u32,
    /// Length of the file in bytes.
    #[serde(default)]
    size: u64,
}

impl Appended {
    /// Length of the file in bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Whether the file may have these bytes, too.
    pub const fn has_room_for(&self, bytes: &[u8]) -> bool {
        self.size + bytes.len() as u64 <= LARGEST_FILE
    }
}

/// Length of parts, which S3 wants to have at least 5 MiB.
const PART: usize = 8 * 1024 * 1024;

/// Objects that are listed at a time to be deleted.
const DELETED_AT_ONCE: i32 = 100;

/// Maximum parts of a file: a checkpoint holds their tags.
const MAX_PARTS: usize = 300;

/// Maximum length of a file in bytes.
pub const LARGEST_FILE: u64 = MAX_PARTS as u64 * PART as u64;

/// Status of an answer, if there was one.
fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// Whether an object does not exist. S3 says so to functions that may list the bucket; to others, it forbids to read the object. The keys
/// are our own, and roles may read them, so that this means the same. If a role ever lacks the permission, the log says so.
fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let denied = status(error) == Some(403) && error.code() == Some("AccessDenied");
    if denied {
        tracing::warn!("S3 denies access to a file, as it does for one that does not exist");
    }
    denied || status(error) == Some(404)
}

impl Files {
    /// The bucket that `FILES_BUCKET` names.
    ///
    /// # Errors
    /// When it names none.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            env: env.clone(),
            bucket: env.config().text("FILES_BUCKET")?.to_owned(),
            part: PART,
        })
    }

    /// Scheme and host of the links to objects, for the policy of a page that shows them.
    pub fn origin(&self) -> String {
        // Without a region, the process had not started.
        let region = self.env.config().optional("AWS_REGION").unwrap_or_default();
        let on_aws = || format!("https://{}.s3.{region}.amazonaws.com", self.bucket);
        // An emulator has one host for all buckets.
        self.env.aws_endpoint().map_or_else(on_aws, str::to_owned)
    }

    /// Makes files in parts of this length, for tests. S3 accepts no parts shorter than 5 MiB.
    pub fn in_parts_of(self, part: usize) -> Self {
        Self { part, ..self }
    }

    /// A link for uploading exactly this number of bytes of this content type within this time.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn upload_link(
        &self,
        key: &FileKey,
        content_type: &str,
        length: u64,
        within: Duration,
    ) -> Result<SignedLink, FileError> {
        const DOING: &str = "sign a link for an upload";
        let put = self.env.s3().put_object().bucket(&self.bucket).key(key.as_str());
        let put = put.content_type(content_type);
        let put = put.content_length(i64::try_from(length).unwrap_or(i64::MAX));
        let config = PresigningConfig::expires_in(within).map_err(|error| FileError::new(DOING, error))?;
        let signed = put.presigned(config).await;
        let signed = signed.map_err(|error| FileError::new(DOING, error))?;
        Ok(SignedLink::of(&signed))
    }

    /// A link for downloading an object under this name within this time. No cache keeps the object.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn download_link(&self, key: &FileKey, name: &str, within: Duration) -> Result<SignedLink, FileError> {
        self.link(self.get(key, name), within).await
    }

    /// A link for playing an object of this content type, in the ranges that a player asks for.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn player_link(
        &self,
        key: &FileKey,
        name: &str,
        content_type: &str,
        within: Duration,
    ) -> Result<SignedLink, FileError> {
        self.link(self.get_with_type(key, name, content_type), within).await
    }

    /// A link for showing an object in a page. Browsers only save objects of other links.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn page_link(
        &self,
        key: &FileKey,
        name: &str,
        content_type: &str,
        within: Duration,
    ) -> Result<SignedLink, FileError> {
        let get = self.get_with_type(key, name, content_type);
        let get = get.response_content_disposition(format!("inline; filename=\"{name}\""));
        self.link(get, within).await
    }

    /// As [`player_link`](Self::player_link), under the name that somebody chose for a reader, in any letters. `name` is for software that
    /// reads no others, and the only one if the chosen one would make the link too long.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn named_link(
        &self,
        key: &FileKey,
        name: &str,
        chosen: Option<&str>,
        content_type: &str,
        within: Duration,
    ) -> Result<SignedLink, FileError> {
        let mut get = self.get_with_type(key, name, content_type);
        let chosen = chosen.map(|chosen| utf8_percent_encode(chosen, NOT_IN_NAMES).to_string());
        if let Some(chosen) = chosen.filter(|chosen| chosen.len() <= MAX_CHOSEN_LENGTH) {
            let both = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{chosen}");
            get = get.response_content_disposition(both);
        }
        self.link(get, within).await
    }

    fn get_with_type(&self, key: &FileKey, name: &str, content_type: &str) -> GetObjectFluentBuilder {
        self.get(key, name).response_content_type(content_type)
    }

    /// The download of an object under this name.
    fn get(&self, key: &FileKey, name: &str) -> GetObjectFluentBuilder {
        let get = self.env.s3().get_object().bucket(&self.bucket).key(key.as_str());
        // Names are ours: letters, digits, dots, hyphens and underscores.
        get.response_content_disposition(format!("attachment; filename=\"{name}\""))
            .response_cache_control("private, no-store")
    }

    async fn link(&self, get: GetObjectFluentBuilder, within: Duration) -> Result<SignedLink, FileError> {
        const DOING: &str = "sign a link for a download";
        let config = PresigningConfig::expires_in(within).map_err(|error| FileError::new(DOING, error))?;
        let signed = get.presigned(config).await;
        let signed = signed.map_err(|error| FileError::new(DOING, error))?;
        Ok(SignedLink::of(&signed))
    }

    /// Size and tag of an object; `None` if it does not exist.
    pub async fn facts(&self, key: &FileKey) -> Result<Option<FileFacts>, FileError> {
        const DOING: &str = "look for a file";
        // The first byte, since the answer to HEAD does not say why something is forbidden.
        let get = self.env.s3().get_object().bucket(&self.bucket).key(key.as_str());
        let got = match get.range("bytes=0-0").send().await {
            Ok(got) => got,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) if status(&error) == Some(416) => {
                return Ok(Some(FileFacts {
                    size: 0,
                    etag: String::new(),
                }));
            }
            Err(error) => return Err(FileError::new(DOING, error)),
        };
        let range = got.content_range.unwrap_or_default();
        let size = range.rsplit_once('/').and_then(|(_, size)| size.parse().ok());
        Ok(Some(FileFacts {
            size: size.ok_or_else(|| FileError::new(DOING, "the answer does not say its size"))?,
            etag: got.e_tag.unwrap_or_default(),
        }))
    }

    /// At most `length` bytes of an object from this offset on, as long as it has this tag.
    pub async fn piece(&self, key: &FileKey, etag: &str, offset: u64, length: u64) -> Result<Piece, FileError> {
        const DOING: &str = "read a piece of a file";
        let last = offset + length.max(1) - 1;
        let get = self.env.s3().get_object().bucket(&self.bucket).key(key.as_str());
        let get = get.if_match(etag).range(format!("bytes={offset}-{last}"));
        let got = match get.send().await {
            Ok(got) => got,
            // Behind the end.
            Err(error) if status(&error) == Some(416) => return Ok(Piece::Bytes(Vec::new())),
            Err(error) if status(&error) == Some(412) || is_missing(&error) => return Ok(Piece::Changed),
            Err(error) => return Err(FileError::new(DOING, error)),
        };
        let bytes = got.body.collect().await;
        let bytes = bytes.map_err(|error| FileError::new(DOING, error))?;
        Ok(Piece::Bytes(bytes.to_vec()))
    }

    /// A whole object; `None` if it does not exist. For objects of at most a few megabytes.
    pub async fn read(&self, key: &FileKey) -> Result<Option<Vec<u8>>, FileError> {
        const DOING: &str = "read a file";
        let get = self.env.s3().get_object().bucket(&self.bucket).key(key.as_str());
        let got = match get.send().await {
            Ok(got) => got,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(FileError::new(DOING, error)),
        };
        let bytes = got.body.collect().await;
        let bytes = bytes.map_err(|error| FileError::new(DOING, error))?;
        Ok(Some(bytes.to_vec()))
    }

    /// Writes a whole object.
    ///
    /// # Errors
    /// When the bucket does not accept it.
    pub async fn write(&self, key: &FileKey, bytes: Vec<u8>) -> Result<(), FileError> {
        let put = self.env.s3().put_object().bucket(&self.bucket).key(key.as_str());
        let put = put.body(ByteStream::from(bytes)).send().await;
        put.map(drop).map_err(|error| FileError::new("write a file", error))
    }

    /// Deletes at most a hundred objects of a folder. Returns their number, and whether there are more.
    pub async fn delete_some(&self, folder: &Folder) -> Result<(u64, bool), FileError> {
        const DOING: &str = "list files that are to be deleted";
        let list = self.env.s3().list_objects_v2().bucket(&self.bucket);
        let listed = list.prefix(folder.as_str()).max_keys(DELETED_AT_ONCE).send().await;
        let listed = listed.map_err(|error| FileError::new(DOING, error))?;
        let more = listed.is_truncated.unwrap_or_default();
        let keys = listed.contents.unwrap_or_default().into_iter();
        let mut deleted = 0;
        for key in keys.filter_map(|one| one.key) {
            self.delete(&key).await?;
            deleted += 1;
        }
        Ok((deleted, more))
    }

    /// Appends bytes to a file that an operation writes. `rest` names the object with the bytes that are not yet a part, by its
    /// number. At most one part and these bytes are in memory.
    ///
    /// # Errors
    /// When the bucket does not answer; when the file is longer than [`LARGEST_FILE`].
    pub async fn append(
        &self,
        key: &FileKey,
        rest: impl Fn(u32) -> FileKey,
        file: &mut Appended,
        bytes: &[u8],
    ) -> Result<(), FileError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut waiting = self.rest_of(&rest, file).await?;
        waiting.extend_from_slice(bytes);
        file.size += bytes.len() as u64;
        while waiting.len() >= self.part {
            let left = waiting.split_off(self.part);
            self.add_part(key, file, waiting).await?;
            waiting = left;
        }
        if waiting.is_empty() {
            file.rest = 0;
        } else {
            let number = file.rests + 1;
            self.write(&rest(number), waiting).await?;
            (file.rest, file.rests) = (number, number);
        }
        Ok(())
    }

    /// Completes a file, so that it can be read. Doing it again changes nothing.
    pub async fn complete(
        &self,
        key: &FileKey,
        rest: impl Fn(u32) -> FileKey,
        file: &Appended,
    ) -> Result<(), FileError> {
        const DOING: &str = "complete a file";
        let mut file = file.clone();
        let waiting = self.rest_of(&rest, &file).await?;
        let Some(upload) = file.upload.clone() else {
            return self.write(key, waiting).await;
        };
        if !waiting.is_empty() {
            match self.add_part(key, &mut file, waiting).await {
                // An earlier attempt has completed it.
                Err(_) if self.facts(key).await?.is_some() => return Ok(()),
                added => added?,
            }
        }
        let parts = file.parts.iter().zip(1..);
        let parts = parts.map(|(etag, number)| CompletedPart::builder().e_tag(etag).part_number(number).build());
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.collect()))
            .build();
        let complete = self.env.s3().complete_multipart_upload().bucket(&self.bucket);
        let complete = complete.key(key.as_str()).upload_id(upload).multipart_upload(parts);
        match complete.send().await {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) && self.facts(key).await?.is_some() => Ok(()),
            Err(error) => Err(FileError::new(DOING, error)),
        }
    }

    /// Deletes a file and what its operation has kept for it, also what a step has written that was not recorded. Parts of an upload
    /// that is not complete can be read by nobody, and are removed by the bucket after a day.
    pub async fn discard(
        &self,
        key: &FileKey,
        rest: impl Fn(u32) -> FileKey,
        file: &Appended,
    ) -> Result<(), FileError> {
        let rests = (1..=file.rests + 1).map(rest);
        for key in rests.chain([key.clone()]) {
            self.delete(key.as_str()).await?;
        }
        Ok(())
    }

    /// Begins a copy of what arrives from elsewhere.
    pub fn copy(&self, key: FileKey) -> Copying<'_> {
        Copying {
            files: self,
            key,
            file: Appended::default(),
            waiting: Vec::new(),
        }
    }

    /// Deletes an object, if it exists.
    pub async fn remove(&self, key: &FileKey) -> Result<(), FileError> {
        self.delete(key.as_str()).await
    }

    async fn delete(&self, key: &str) -> Result<(), FileError> {
        let delete = self.env.s3().delete_object().bucket(&self.bucket).key(key);
        let deleted = delete.send().await;
        deleted
            .map(drop)
            .map_err(|error| FileError::new("delete a file", error))
    }

    /// The bytes of a file that are not yet a part.
    async fn rest_of(&self, rest: &impl Fn(u32) -> FileKey, file: &Appended) -> Result<Vec<u8>, FileError> {
        const DOING: &str = "go on with a file";
        if file.rest == 0 {
            return Ok(Vec::new());
        }
        let found = self.read(&rest(file.rest)).await?;
        found.ok_or_else(|| FileError::new(DOING, "the bytes that were not yet a part are gone"))
    }

    async fn add_part(&self, key: &FileKey, file: &mut Appended, bytes: Vec<u8>) -> Result<(), FileError> {
        const DOING: &str = "write a part of a file";
        if file.parts.len() >= MAX_PARTS {
            return Err(FileError::new(DOING, "the file is too long"));
        }
        let upload = match &file.upload {
            Some(upload) => upload.clone(),
            None => self.begin(key).await?,
        };
        let number = i32::try_from(file.parts.len()).unwrap_or(i32::MAX).saturating_add(1);
        let part = self.env.s3().upload_part().bucket(&self.bucket).key(key.as_str());
        let part = part.upload_id(&upload).part_number(number);
        let sent = part.body(ByteStream::from(bytes)).send().await;
        let sent = sent.map_err(|error| FileError::new(DOING, error))?;
        file.upload = Some(upload);
        file.parts.push(sent.e_tag.unwrap_or_default());
        Ok(())
    }

    /// Begins an upload in parts. One that is never completed is removed by the bucket after a day.
    async fn begin(&self, key: &FileKey) -> Result<String, FileError> {
        const DOING: &str = "begin a file";
        let begin = self.env.s3().create_multipart_upload().bucket(&self.bucket);
        let begun = begin.key(key.as_str()).send().await;
        let begun = begun.map_err(|error| FileError::new(DOING, error))?;
        begun
            .upload_id
            .ok_or_else(|| FileError::new(DOING, "the upload has no id"))
    }
}

/// An object that is written as its bytes arrive. At most one part of it is in memory. Until it is complete, nobody can read it; what was
/// written of one that never is, the bucket removes after a day.
pub struct Copying<'a> {
    files: &'a Files,
    key: FileKey,
    file: Appended,
    /// Bytes that are not yet a part.
    waiting: Vec<u8>,
}

impl Copying<'_> {
    /// Length so far, in bytes.
    pub const fn size(&self) -> u64 {
        self.file.size
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// When the bucket does not answer; when the file is longer than [`LARGEST_FILE`].
    pub async fn add(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.waiting.extend_from_slice(bytes);
        self.file.size += bytes.len() as u64;
        while self.waiting.len() >= self.files.part {
            let rest = self.waiting.split_off(self.files.part);
            let part = std::mem::replace(&mut self.waiting, rest);
            Box::pin(self.files.add_part(&self.key, &mut self.file, part)).await?;
        }
        Ok(())
    }

    /// Completes the object, which replaces one of this name. Returns its length in bytes.
    pub async fn complete(self) -> Result<u64, FileError> {
        let Self {
            files,
            key,
            mut file,
            waiting,
        } = self;
        if file.upload.is_none() {
            Box::pin(files.write(&key, waiting)).await?;
            return Ok(file.size);
        }
        if !waiting.is_empty() {
            Box::pin(files.add_part(&key, &mut file, waiting)).await?;
        }
        // All of it is in parts.
        Box::pin(files.complete(&key, |_| key.clone(), &file)).await?;
        Ok(file.size)
    }
}

impl SignedLink {
    fn of(signed: &aws_sdk_s3::presigning::PresignedRequest) -> Self {
        let headers = signed
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            url: signed.uri().to_owned(),
            headers: headers.collect(),
        }
    }
}

/// Without the URL, which is a right to read or write.
impl std::fmt::Debug for SignedLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedLink").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_sdk_s3::operation::get_object::GetObjectError;
    use aws_sdk_s3::primitives::SdkBody;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

    use super::*;

    /// Without `s3:ListBucket`, S3 denies access to what does not exist. The emulator does not.
    #[test]
    fn denied_object_is_missing_and_a_refused_caller_is_not() {
        for (status, code, missing) in [
            (404, "NoSuchKey", true),
            (403, "AccessDenied", true),
            (403, "InvalidAccessKeyId", false),
            (403, "SignatureDoesNotMatch", false),
            (412, "PreconditionFailed", false),
            (503, "SlowDown", false),
        ] {
            let error = GetObjectError::generic(ErrorMetadata::builder().code(code).build());
            let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
            assert_eq!(
                is_missing(&SdkError::service_error(error, answer)),
                missing,
                "{status} {code}"
            );
        }
    }
}
