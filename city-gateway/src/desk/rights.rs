//! Who may do what. Pure; the one place where roles mean something.

use crate::store::desk::{OperatorRow, Role};

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// See cases, masked.
    SeeCases,
    /// Take a case a step on, and see its content.
    DecideCases,
    /// See dead letters and quarantine, and have a dead letter tried again.
    MendRecords,
    /// Decide about records that are kept aside. Not for whoever hands out accounts: what is believed is not up to
    /// those who say who may decide.
    ReleaseRecords,
    /// Give out and take back accounts.
    KeepAccounts,
    /// Read and verify the audit chain.
    ReadAudit,
    /// Say which number a window has come to. It is in nobody's name, so it leaves no line in the chain.
    CallNumbers,
    /// See the calls of one's own terminals, and answer them.
    AnswerCalls,
}

/// Whether a role has a right at all. Nobody has all of them: whoever hands out accounts cannot read content, and
/// whoever reads content cannot hand out accounts.
pub(crate) fn may(role: Role, right: Right) -> bool {
    match role {
        Role::Administrator => matches!(right, Right::SeeCases | Right::MendRecords | Right::KeepAccounts),
        Role::Auditor => matches!(right, Right::SeeCases | Right::ReadAudit),
        Role::DepartmentWorker => {
            matches!(right, Right::SeeCases | Right::DecideCases | Right::CallNumbers)
        }
        Role::Support => {
            matches!(right, Right::SeeCases | Right::MendRecords | Right::ReleaseRecords)
        }
        Role::SiteKeeper => matches!(right, Right::AnswerCalls),
    }
}

/// Whether an operator may see a case of this department.
pub(crate) fn sees_department(operator: &OperatorRow, department: &str) -> bool {
    match operator.role {
        Role::DepartmentWorker => operator.department.as_deref() == Some(department),
        Role::SiteKeeper => false,
        Role::Administrator | Role::Auditor | Role::Support => true,
    }
}

/// The word operators read.
pub(crate) fn role_label(role: Role) -> &'static str {
    match role {
        Role::Administrator => "管理员",
        Role::Auditor => "审计员",
        Role::DepartmentWorker => "部门经办",
        Role::Support => "运行支持",
        Role::SiteKeeper => "站点管理员",
    }
}

/// The page on which a role begins.
pub(crate) fn first_page(role: Role) -> &'static str {
    if may(role, Right::SeeCases) { "/desk/" } else { "/keeper/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHTS: [Right; 8] = [
        Right::SeeCases,
        Right::DecideCases,
        Right::MendRecords,
        Right::ReleaseRecords,
        Right::KeepAccounts,
        Right::ReadAudit,
        Right::CallNumbers,
        Right::AnswerCalls,
    ];

    #[test]
    fn the_table_of_rights() {
        let table = [
            (Role::Administrator, [true, false, true, false, true, false, false, false]),
            (Role::Auditor, [true, false, false, false, false, true, false, false]),
            (Role::DepartmentWorker, [true, true, false, false, false, false, true, false]),
            (Role::Support, [true, false, true, true, false, false, false, false]),
            (Role::SiteKeeper, [false, false, false, false, false, false, false, true]),
        ];
        assert_eq!(table.len(), Role::ALL.len());
        for (role, wanted) in table {
            assert_eq!(RIGHTS.map(|right| may(role, right)), wanted, "{role:?}");
        }
    }
}
