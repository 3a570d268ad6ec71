//! Sentences that more than one page needs.

use crate::desk::accounts::AccountError;
use crate::desk::aside_desk::AsideError;
use crate::desk::case_desk::DeskError;
use crate::desk::password::Weak;
use crate::desk::progress::Unfit;
use crate::store::desk::Obstacle;

/// The way back.
pub(crate) const BACK: &str = "返回办件列表";

/// The way back to one case.
pub(crate) const BACK_TO_CASE: &str = "打开这个办件";

/// The way back to what is kept aside.
pub(crate) const BACK_TO_ASIDE: &str = "返回已隔离的记录";

/// What everybody is told who was not signed in, whatever was wrong.
pub(crate) const WRONG: &str = "账号、密码或动态口令不正确。动态口令用过一次后，请等下一个。";

/// What somebody is told who tries too often.
pub(crate) fn wait(seconds: i64) -> String {
    format!("尝试次数过多，请在 {seconds} 秒后再试。")
}

/// Why a new password was not taken.
pub(crate) fn weak(weak: Weak) -> &'static str {
    match weak {
        Weak::Short => "新密码太短，至少 12 个字符。可以用一句话。",
        Weak::Long => "新密码太长，最多 128 个字符。",
        Weak::Obvious => "新密码太容易猜到：不要包含账号名，也不要只用几个重复的字符。",
    }
}

/// Why something was not done with a case.
pub(crate) fn desk_error(error: &DeskError) -> &'static str {
    match error {
        DeskError::Forbidden => "您的角色不能进行这项操作。",
        DeskError::Missing => "没有找到这个办件，或者它不属于您的部门。",
        DeskError::Stale => "办件刚刚被其他人处理过。请打开最新页面后再决定。",
        DeskError::Unfit(unfit) => match unfit {
            Unfit::NoSuchStep => "办件在当前状态下不能这样处理。",
            Unfit::NoSuchReason => "请选择处理原因。",
            Unfit::NoteMissing => "这个原因需要给申请人写明要做什么。",
            Unfit::NoteTooLong => "说明太长，最多 200 个字。",
            Unfit::NoteUnprintable => "说明里有无法显示的字符，请删除后再提交。",
            Unfit::NotePersonal => "说明里好像有身份证号或手机号。说明会显示在终端上，请不要写个人信息。",
        },
        DeskError::BadReason => "请选择查看原因。关联编号只能用字母、数字和 - / .，不要写个人信息。",
        DeskError::Erased => "内容已按保存规则删除，不能再查看。",
        DeskError::TooMany => "查看次数过多，请稍后再试。",
        DeskError::NotOpenable => "内容无法解密，请联系运行支持。",
        DeskError::Store(_) => "系统繁忙，请稍后再试。",
    }
}

/// Why a record that is kept aside cannot be released.
pub(crate) fn obstacle(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Erased => "内容已按保存规则删除，不能放行。",
        Obstacle::Held => "同一内容已在收件箱，不需要放行。",
        Obstacle::PlaceTaken => {
            "收件箱里这个序号已有另一份记录，不能放行。请与终端核对，或请申请人重新办理。"
        }
        Obstacle::IdTaken => "收件箱里同一编号已有另一份记录，不能放行。请与终端核对，或请申请人重新办理。",
    }
}

/// Why it was not decided about a record that is kept aside.
pub(crate) fn aside_error(error: &AsideError) -> &'static str {
    match error {
        AsideError::Forbidden => "您的角色不能进行这项操作。",
        AsideError::Missing => "没有找到这份记录。请打开最新页面后再决定。",
        AsideError::Stale => "这份记录刚刚被其他人处理过。请打开最新页面后再决定。",
        AsideError::BadReason => "请选择原因。关联编号只能用字母、数字和 - / .，不要写个人信息。",
        AsideError::Blocked(what) => obstacle(*what),
        AsideError::Store(_) => "系统繁忙，请稍后再试。",
    }
}

/// Why something was not done with an account.
pub(crate) fn account_error(error: &AccountError) -> &'static str {
    match error {
        AccountError::BadName => "账号名用 2 到 32 个小写字母、数字、点或短横线，以字母开头。",
        AccountError::Taken => "已经有这个账号名。",
        AccountError::Missing => "没有这个账号。",
        AccountError::Department => "部门经办必须选择部门，其他角色没有部门。",
        AccountError::Sites => "站点管理员必须填写 1 到 50 个终端编号（例如 DG0001），其他角色不填。",
        AccountError::Own => "不能修改自己的账号，请由另一位管理员处理。",
        AccountError::Stale => "这个账号刚刚被其他人修改过，请刷新后再试。",
        AccountError::Store(_) => "系统繁忙，请稍后再试。",
    }
}
