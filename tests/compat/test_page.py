"""docs/porting-from-swift.md: its code runs and prints what it says, its tables are complete, its links lead somewhere."""

import re

from authing_mfa import errors
from authing_mfa.compat import Authing, CompatAuthClient
from tests.compat.process import ROOT, run

PAGE = ROOT / "docs" / "porting-from-swift.md"
TEXT = PAGE.read_text("utf-8")


def test_every_block_runs_and_prints_what_it_says():
    """Against the emulator, in the page's order."""
    finished = run("page", str(PAGE))
    assert finished.stderr == ""
    assert finished.stdout == f"blocks {TEXT.count('```python')}\n"


def test_every_code_with_a_meaning_of_its_own_is_in_the_table():
    """A new error class, or a code of one, needs a line."""
    table = TEXT.partition("## Every code")[2].partition("\n## ")[0]
    listed = {
        int(code) for row in re.findall(r"^\| ([\d, ]+)", table, re.MULTILINE) for code in re.findall(r"\d+", row)
    }
    local = {
        cls.default_code for cls in vars(errors).values() if isinstance(cls, type) and hasattr(cls, "default_code")
    }
    known = set(errors._BY_CODE) | set(errors._BY_STATUS) | (local - {0})
    assert known - listed == set()


def test_every_call_is_named():
    """All of the surface can be found on the page."""
    calls = {name for name in vars(CompatAuthClient) if not name.startswith("_")}
    assert {name for name in calls if name not in TEXT} == set()


# The public functions of guard-ios, Network/AuthClient.swift and Authing.swift.
SWIFT = re.findall(
    r"\w+",
    """
registerByEmail registerByEmailCode registerByUserName registerByPhone registerByPhoneCode registerByExtendedFields loginByAccount
loginByPhoneCode loginByEmail getCurrentUser logout sendSms sendResetPasswordEmail sendMFAEmail sendEmail sendLoginEmail
getCustomUserData setCustomUserData uploadAvatar resetPasswordByPhone resetPasswordByEmail resetPasswordByFirstTimeLoginToken
updateProfile updatePassword bindPhone unbindPhone bindEmail unbindEmail updateIdToken getSecurityLevel listApplications listOrgs
listRoles listAuthorizedResources checkPassword checkAccount feedBack deleteAccount getSecurityCaptcha loginByWechat loginByWeCom
loginbyWeComAgency loginByLark loginByApple loginByGoogle loginByFacebook loginByMiniprogram loginByOneAuth getDataByWechatlogin
bindWechatWithRegister bindWechatByAccount bindWechatByPhoneCode bindWechatByEmailCode bindWechatBySelectedAccountId
bindWechatByAccountId mfaCheck mfaVerifyByPhone mfaVerifyByEmail mfaAssociateByOTP mfaAssociateConfirmByOTP
mfaAssociteByRecoveryCode mfaDeleteOTP mfaVerifyByOTP mfaAssociateByFace mfaVerifyByFace mfaUnbindFactor unbindMFAPhone
unbindMFAEmail markQRCodeScanned loginByScannedTicket cancelByScannedTicket loginByQRCode loginByPushNotification createDevice bind
unbind getWebauthnRegistrationParam webauthnRegistration getWebauthnAuthenticationParam webauthnAuthentication
webauthnRemoveCredential webauthnAuthenticatorDevice checkWebauthnVaildCredentitals createUserInfo get post delete request
uploadImage uploadFaceImage start getAppId setSchema getSchema setHost getHost getIsOnPremises getPublicKey setOnPremiseInfo
getConfig setLanguage autoLogin saveUser
""",
)


def test_every_name_of_the_swift_sdk_is_on_the_page():
    """Those that are here, and those that are not with what to use instead: no name in both tables."""
    here, _, rest = TEXT.partition("### Every name")[2].partition("are not in this package")
    named_here = set(re.findall(r"`(\w+)`", here))
    named_there = set(
        re.findall(r"`(?:Authing\.)?(\w+)`", re.sub(r"\|[^|]*\|$", "|", rest.partition("\n## ")[0], flags=re.MULTILINE))
    )
    ours = {name for face in (CompatAuthClient, Authing) for name in vars(face) if not name.startswith("_")}
    assert {name for name in SWIFT if name not in named_here | named_there} == set()
    assert named_here & set(SWIFT) == ours & set(SWIFT)
    assert named_there & ours == set()


def test_every_link_leads_somewhere():
    """Pictures and examples included."""
    targets = [target for target in re.findall(r"\]\(([^)#]+)", TEXT) if "://" not in target]
    assert targets
    assert [target for target in targets if not (PAGE.parent / target).exists()] == []
