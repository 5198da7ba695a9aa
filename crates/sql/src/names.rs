use datafusion::sql::sqlparser::ast::{Ident, ObjectName, Spanned};
use headwater_types::{Name, NameError};

use crate::source::Refusal;

/// Relations that the system makes in every workspace.
const SYSTEM_RELATIONS: [&str; 2] = ["quarantine", "error_view"];

/// An identifier as it is stored: unquoted ones in lower case (ASCII), quoted ones exactly.
pub(crate) fn fold(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

/// The name of a relation to be made.
pub(crate) fn relation_name(name: &ObjectName) -> Result<Name, Refusal> {
    let [part] = name.0.as_slice() else {
        let refusal = Refusal::unsupported("a relation's name has one part", "leave out schema and catalog");
        return Err(refusal.at(name.span()));
    };
    let Some(ident) = part.as_ident() else {
        return Err(Refusal::new("invalid_name", "a relation's name is an identifier").at(name.span()));
    };
    let folded = fold(ident);
    if SYSTEM_RELATIONS.contains(&folded.as_str()) {
        let message = format!("the name {folded:?} is used by the system");
        return Err(Refusal::new("reserved_name", message).hint("choose another name").at(ident.span));
    }
    checked(&folded).map_err(|refusal| refusal.at(ident.span))
}

/// The name of a column to be made.
pub(crate) fn column_name(ident: &Ident) -> Result<Name, Refusal> {
    checked(&fold(ident)).map_err(|refusal| refusal.at(ident.span))
}

/// A valid user name.
pub(crate) fn checked(text: &str) -> Result<Name, Refusal> {
    Name::new(text).map_err(|error| {
        let code = if error == NameError::Reserved { "reserved_name" } else { "invalid_name" };
        Refusal::new(code, error.to_string()).hint("choose another name")
    })
}
