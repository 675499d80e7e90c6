using System.Buffers;
using System.Text;
using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>What is answered ahead of the web server, and what is left to it.</summary>
public sealed class PlainRequestTests
{
    private const string Plain = "GET /boot/kernel8.img HTTP/1.1\r\nHost: 10.77.0.1:8067\r\nUser-Agent: U-Boot\r\n\r\n";

    [Fact]
    public void A_whole_file_asked_for_without_conditions_is_plain()
    {
        Assert.Equal(PlainVerdict.Plain, Read(Plain, out var request));
        Assert.Equal(new PlainRequest("/boot/kernel8.img", null, Plain.Length), request);
    }

    [Fact]
    public void A_chunk_with_its_credential_is_plain_and_what_follows_is_not_taken()
    {
        const string text = "GET /installer/v1/chunks/j1/7 HTTP/1.1\r\nhost: m\r\nauthorization: Bearer abc\r\n\r\n";
        Assert.Equal(PlainVerdict.Plain, Read(text + "GET /boot/x HTTP/1.1\r\n", out var request));
        Assert.Equal(new PlainRequest("/installer/v1/chunks/j1/7", "Bearer abc", text.Length), request);
    }

    [Fact]
    public void Each_beginning_of_a_plain_request_waits_for_its_rest_however_it_is_cut()
    {
        for (var length = 0; length < Plain.Length; length++)
            Assert.Equal(PlainVerdict.Incomplete, Read(Plain[..length], out _));
        for (var cut = 1; cut < Plain.Length; cut++)
        {
            var first = new Segment(Encoding.Latin1.GetBytes(Plain[..cut]), null);
            var second = new Segment(Encoding.Latin1.GetBytes(Plain[cut..]), first);
            Assert.Equal(PlainVerdict.Plain, PlainRequest.TryRead(
                new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length), out _));
        }
    }

    [Theory]
    [InlineData("HEAD /boot/x HTTP/1.1\r\nHost: m\r\n\r\n")]
    [InlineData("POST /boot/x HTTP/1.1\r\nHost: m\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("GET /boot/x HTTP/1.0\r\nHost: m\r\n\r\n")]
    [InlineData("GET  /boot/x HTTP/1.1\r\nHost: m\r\n\r\n")]
    [InlineData("GET /boot/x?y HTTP/1.1\r\nHost: m\r\n\r\n")]
    [InlineData("GET /boot/%2e%2e/x HTTP/1.1\r\nHost: m\r\n\r\n")]
    [InlineData("GET /boot/a\\b HTTP/1.1\r\nHost: m\r\n\r\n")]
    [InlineData("GET http://m/boot/x HTTP/1.1\r\nHost: m\r\n\r\n")]
    [InlineData("GET /installer/v1/plan HTTP/1.1\r\nHost: m\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\r\nHost: n\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\r\nRange: bytes=0-4\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\r\nIf-None-Match: \"a\"\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\r\nExpect: 100-continue\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\r\n Range: folded\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost : m\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\nRange: bytes=0-4\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\rRange: bytes=0-4\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\0\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\nHost: m\n\r\n\r\n")]
    [InlineData("GET /boot/x HTTP/1.1\r\nHost: m\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n")]
    [InlineData("\r\nGET /boot/x HTTP/1.1\r\nHost: m\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001")]
    public void What_asks_for_judgement_is_the_web_server_s(string text) =>
        Assert.Equal(PlainVerdict.Other, Read(text, out _));

    [Fact]
    public void A_head_that_does_not_end_is_the_web_server_s()
    {
        var head = "GET /boot/x HTTP/1.1\r\nHost: m\r\nAccept: " + new string('a', 2 * PlainRequest.MaxLength);
        Assert.Equal(PlainVerdict.Other, Read(head, out _));
    }

    private static PlainVerdict Read(string text, out PlainRequest? request) =>
        PlainRequest.TryRead(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(text)), out request);

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] octets, Segment? before)
        {
            Memory = octets;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
