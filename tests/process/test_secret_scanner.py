"""The scanner that looks for leaked credentials must itself be able to fail."""
import pytest
from tests.harness.secrets import credentials_in, find_leaks

pytestmark = pytest.mark.release_only  # runs no program

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.mark.parametrize(
    "leak",
    [
        "token SharedAccessSignature sr=hub1&sig=x",
        "HostName=h;DeviceId=d;SharedAccessKey=" + KEY,
        "sig=hG2O%2FQ7k%2BNMq2r4jYkkt7YbsC1ik0paLwTgqWsUHfVg%3D",
        "Authorization: Bearer abcdefgh12",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJleHAi",
        "$iothub/streams/POST/ssh/?$rid=1&$auth=x",
        "-----BEGIN EC PRIVATE KEY-----",
    ],
)
def test_each_kind_of_credential_is_found(leak):
    assert find_leaks("a line before\n" + leak)


def test_a_known_key_is_found_in_each_spelling():
    known = credentials_in("HostName=h;DeviceId=d;SharedAccessKey=" + KEY)
    assert find_leaks("key is " + KEY, known)
    assert find_leaks("key is " + KEY.rstrip("="), known)
    assert find_leaks("key is " + KEY.replace("=", "%3D"), known)


@pytest.mark.parametrize(
    "line",
    [
        "set SharedAccessKey=... in the file",
        "SharedAccessKey=<key>",
        "Bearer token refused",
        "topic $iothub/streams/POST/ssh/",
        "DS-301 the hub refused the service credential",
    ],
)
def test_ordinary_lines_pass(line):
    assert find_leaks(line, credentials_in("SharedAccessKey=" + KEY)) == []
