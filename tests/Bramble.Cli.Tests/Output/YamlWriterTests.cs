using System.Text.Json;
using Bramble.Cli.Output;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Bramble.Cli.Tests.Output;

public sealed class YamlWriterTests
{
    /// <summary>Each would be something other than this string if it were written plain.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("yes")]
    [InlineData("No")]
    [InlineData("ON")]
    [InlineData("y")]
    [InlineData("true")]
    [InlineData("null")]
    [InlineData("~")]
    [InlineData("12")]
    [InlineData("0x1f")]
    [InlineData("1e3")]
    [InlineData(".inf")]
    [InlineData(".NaN")]
    [InlineData("2026-05-01")]
    [InlineData("12:30:45")]
    [InlineData("- a")]
    [InlineData("-")]
    [InlineData("? a")]
    [InlineData("a: b")]
    [InlineData("a #b")]
    [InlineData("a:")]
    [InlineData("#a")]
    [InlineData("&a")]
    [InlineData("*a")]
    [InlineData("!a")]
    [InlineData("%a")]
    [InlineData("@a")]
    [InlineData("|")]
    [InlineData(">")]
    [InlineData("{a}")]
    [InlineData("[a]")]
    [InlineData("'a'")]
    [InlineData("a\"b\\c")]
    [InlineData(" lead")]
    [InlineData("trail ")]
    [InlineData("two\nlines")]
    [InlineData("tab\there")]
    [InlineData("bell\u0007")]
    [InlineData("nel\u0085ls\u2028bom\ufeff")]
    [InlineData("---")]
    [InlineData("...")]
    [InlineData("<<")]
    [InlineData("=")]
    public void A_string_that_could_mean_something_else_is_quoted(string value)
    {
        var yaml = Write(value);
        Assert.StartsWith("\"", yaml, StringComparison.Ordinal);
        Assert.Equal(value, Scalar(yaml).Value);
    }

    [Theory]
    [InlineData("shelf-3")]
    [InlineData("/dev/mmcblk0")]
    [InlineData("Debian 12 (bookworm)")]
    [InlineData("nobody")]
    public void A_harmless_string_is_left_plain(string value)
    {
        Assert.Equal($"{value}\n", Write(value));
        Assert.Equal(value, Scalar(Write(value)).Value);
    }

    [Fact]
    public void Any_text_is_read_back_as_it_was()
    {
        const int seed = 20260501;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        const string alphabet = "ab: #-?&*!|>'\"%@`{}[],\n\r\t\\\u0000\u0085\u2028\u202e\u00e9\u4e2d0.~=<";
        for (var round = 0; round < 3000; round++)
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(12)).Select(_ => alphabet[random.Next(alphabet.Length)]));
            if (random.Next(8) == 0) text += "🍓";
            var json = JsonSerializer.SerializeToElement(new Dictionary<string, object>
            {
                [$"k{text}"] = new object[]
                {
                    text, new[] { text }, new Dictionary<string, string> { [text] = text }, round,
                },
            });
            MachineFormTests.AssertSame(json, MachineFormTests.Read(YamlWriter.Write(json)));
        }
    }

    [Fact]
    public void Lists_in_lists_and_empty_ones_keep_their_shape()
    {
        var json = JsonElement.Parse("""{"a":[[1,[2]],{},[],{"b":{"c":null}}],"d":{},"e":true,"f":-1.5e3}""");
        var yaml = YamlWriter.Write(json);
        MachineFormTests.AssertSame(json, MachineFormTests.Read(yaml));
    }

    private static string Write(string value) => YamlWriter.Write(JsonSerializer.SerializeToElement(value));

    private static YamlScalarNode Scalar(string yaml)
    {
        var scalar = Assert.IsType<YamlScalarNode>(MachineFormTests.Read(yaml));
        Assert.True(scalar.Style is ScalarStyle.Plain or ScalarStyle.DoubleQuoted);
        return scalar;
    }
}
