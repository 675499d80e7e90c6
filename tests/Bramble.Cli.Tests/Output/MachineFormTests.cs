using System.Text.Json;
using YamlDotNet.RepresentationModel;

namespace Bramble.Cli.Tests.Output;

/// <summary>JSON and YAML: the manager's records, whole.</summary>
public sealed class MachineFormTests
{
    [Fact]
    public async Task Json_keeps_all_that_the_manager_sent()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", Samples.Nodes);
        var ran = await CliRun.RunAsync(manager, "node", "ls", "-o", "json");
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Samples.Nodes), JsonElement.Parse(ran.Out)));
        Assert.Contains("\"futureMember\": \"kept\"", ran.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Yaml_says_the_same_as_json()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", Samples.Nodes);
        var ran = await CliRun.RunAsync(manager, "node", "ls", "-o", "yaml");
        AssertSame(JsonElement.Parse(Samples.Nodes), Read(ran.Out));
        Assert.StartsWith("""
            - id: 14
              number: 11
              name: shelf-11
              mac: "b8:27:eb:12:34:58"
              phase: failed
              phaseSince: "2026-04-30T06:00:00Z"
              verdict: start4.elf is missing
              spec:
                goal: run

            """, ran.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_list_is_still_a_document()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", "[]");
        Assert.Equal("[]\n", (await CliRun.RunAsync(manager, "node", "ls", "-o", "json")).Out);
        Assert.Equal("[]\n", (await CliRun.RunAsync(manager, "node", "ls", "-o", "yaml")).Out);
        var ran = await CliRun.RunAsync(manager, "node", "ls");
        Assert.Equal("no nodes\n", ran.Error);
    }

    internal static YamlNode Read(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return Assert.Single(stream.Documents).RootNode;
    }

    internal static void AssertSame(JsonElement json, YamlNode yaml)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var map = Assert.IsType<YamlMappingNode>(yaml);
                Assert.Equal(
                    json.EnumerateObject().Select(m => m.Name),
                    map.Children.Keys.Select(k => ((YamlScalarNode)k).Value!));
                foreach (var member in json.EnumerateObject())
                    AssertSame(member.Value, map[new YamlScalarNode(member.Name)]);
                break;
            case JsonValueKind.Array:
                var list = Assert.IsType<YamlSequenceNode>(yaml);
                Assert.Equal(json.GetArrayLength(), list.Children.Count);
                foreach (var (item, child) in json.EnumerateArray().Zip(list.Children)) AssertSame(item, child);
                break;
            case JsonValueKind.String:
                Assert.Equal(json.GetString(), Assert.IsType<YamlScalarNode>(yaml).Value);
                break;
            default:
                Assert.Equal(json.GetRawText(), Assert.IsType<YamlScalarNode>(yaml).Value);
                break;
        }
    }
}
