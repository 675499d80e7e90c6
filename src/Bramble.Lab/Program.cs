using System.CommandLine;
using Bramble.Lab.Commands;

return await new RootCommand("Virtual Raspberry Pis that boot over a real network")
{
    NetCommand.Create(),
    RunCommand.Create(),
    CtlCommand.Create(),
    ImageCommand.Create(),
}.Parse(args).InvokeAsync();
