//! Signing up through an application.

use crate::{
    App,
    auth::{AppOnly, scope},
    http::{
        ApiError, ApiResult, Json, Params,
        error::{Detail, FieldError},
    },
    oauth::Token,
};
use axum::{Router, extract::State, routing::post};
use domain::{
    oauth::tokens,
    settings::{self, InstanceSettings, Registrations},
    users::{self, Fault, NewUser, Problem, Role, sign_up::door},
};
use serde::Deserialize;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/accounts", post(create))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SignUpForm {
    username: String,
    email: String,
    password: String,
    agreement: bool,
    locale: String,
    reason: String,
}

/// `POST /api/v1/accounts` <https://docs.joinmastodon.org/methods/accounts/#create>
async fn create(
    State(app): State<App>,
    caller: AppOnly<scope::WriteAccounts>,
    Params(form): Params<SignUpForm>,
) -> ApiResult<Json<Token>> {
    let client = caller.app.ok_or_else(ApiError::forbidden)?;
    let conn = app.db.read().await?;
    let settings = settings::read(&conn).await?;
    if door(&conn, &settings, None).await? == Registrations::Closed {
        return Err(ApiError::forbidden());
    }
    let new = new_user(&form, &settings);
    let mut errors: Vec<FieldError> = users::check(&conn, &new).await?.iter().map(field_error).collect();
    drop(conn);
    errors.extend(missing(&form, &settings));
    if !errors.is_empty() {
        return Err(ApiError::sign_up(&errors));
    }
    let (user, _) = users::create(&app.db, &app.site, new).await?;
    let issued = tokens::create_for_app(&app.db, (client, user.id), caller.scopes).await?;
    Ok(Json(issued.into()))
}

fn new_user(form: &SignUpForm, settings: &InstanceSettings) -> NewUser {
    NewUser {
        username: form.username.trim().to_owned(),
        email: Some(form.email.trim().to_owned()),
        password: Some(form.password.clone()),
        role: Role::User,
        locale: form.locale.clone(),
        reason: form.reason.trim().to_owned(),
        confirmed: settings.confirm_at_once,
        approved: settings.open_to() == Registrations::Open,
    }
}

/// What the form lacks beyond what makes a user.
fn missing(form: &SignUpForm, settings: &InstanceSettings) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if settings.open_to() == Registrations::Approval && form.reason.trim().is_empty() {
        errors.push(FieldError { field: "reason", error: Detail::Blank, description: "can't be blank".into() });
    }
    if !form.agreement {
        errors.push(FieldError { field: "agreement", error: Detail::Accepted, description: "must be accepted".into() });
    }
    errors
}

fn field_error(problem: &Problem) -> FieldError {
    let error = match problem.fault {
        Fault::Blank => Detail::Blank,
        Fault::Invalid => Detail::Invalid,
        Fault::TooLong(_) => Detail::TooLong,
        Fault::TooShort(_) => Detail::TooShort,
        Fault::Taken => Detail::Taken,
        Fault::Reserved => Detail::Reserved,
    };
    FieldError { field: problem.field, error, description: problem.why() }
}
