package database

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NetworkProps: a range of private addresses of /16 to /24, and in how many
// zones to be; with no zones named, AWS's first ones are taken. The order in
// which zones are named means nothing.
type NetworkProps struct {
	CIDR              string
	AvailabilityZones []string
	Zones             int
}

// Network is a VPC whose subnets have no route out of it.
type Network struct {
	Vpc       awsec2.IVpc
	VpcID     string
	SubnetIDs []string
}

// NewNetwork makes the VPC with one isolated subnet in each zone.
//
// It is made of plain resources, since the CDK's own Vpc asks AWS for the zones
// of an account as soon as one is named, and a synthesis asks nobody.
func NewNetwork(scope constructs.Construct, id string, p NetworkProps) Network {
	here := constructs.NewConstruct(scope, jsii.String(id))
	vpc := awsec2.NewCfnVPC(here, jsii.String("Vpc"), &awsec2.CfnVPCProps{
		CidrBlock:          jsii.String(p.CIDR),
		EnableDnsHostnames: jsii.Bool(true),
		EnableDnsSupport:   jsii.Bool(true),
	})
	awscdk.Tags_Of(here).Add(jsii.String("Name"), awscdk.Stack_Of(scope).StackName(), nil)
	if len(p.AvailabilityZones) > 0 {
		awscdk.Validations_Of(here).Acknowledge(&awscdk.Acknowledgment{
			Id:     jsii.String("CloudFormation-Validate::W3010"),
			Reason: jsii.String("The configuration names zones, all of the environment's region"),
		})
	}
	n := Network{VpcID: *vpc.Ref()}
	whole := netip.MustParsePrefix(p.CIDR)
	var azs, tables []string
	for _, z := range places(p.AvailabilityZones, p.Zones) {
		subnet := awsec2.NewCfnSubnet(here, jsii.String(nth("Subnet", z.place)), &awsec2.CfnSubnetProps{
			VpcId:               vpc.Ref(),
			AvailabilityZone:    jsii.String(z.zone()),
			CidrBlock:           jsii.String(sixteenth(whole, z.place)),
			MapPublicIpOnLaunch: jsii.Bool(false),
		})
		table := awsec2.NewCfnRouteTable(here, jsii.String(nth("RouteTable", z.place)),
			&awsec2.CfnRouteTableProps{VpcId: vpc.Ref()})
		awsec2.NewCfnSubnetRouteTableAssociation(here, jsii.String(nth("Routes", z.place)),
			&awsec2.CfnSubnetRouteTableAssociationProps{
				SubnetId:     subnet.Ref(),
				RouteTableId: table.Ref(),
			})
		azs = append(azs, z.zone())
		n.SubnetIDs = append(n.SubnetIDs, *subnet.Ref())
		tables = append(tables, *table.Ref())
	}
	n.Vpc = awsec2.Vpc_FromVpcAttributes(here, jsii.String("Import"), &awsec2.VpcAttributes{
		VpcId:                       vpc.Ref(),
		VpcCidrBlock:                jsii.String(p.CIDR),
		AvailabilityZones:           jsii.Strings(azs...),
		IsolatedSubnetIds:           jsii.Strings(n.SubnetIDs...),
		IsolatedSubnetRouteTableIds: jsii.Strings(tables...),
	})
	return n
}

// place is a zone's place in the VPC, from 0: it decides the logical ids and the
// addresses of what lies in the zone.
type place struct {
	name  string // "": AWS's zone of that place
	place int
}

// places are the zones' places. That of a named zone is its letter's, so that
// neither another order of the list nor one more zone moves a subnet:
// CloudFormation would replace it.
func places(zones []string, n int) []place {
	var all []place
	if len(zones) == 0 {
		for i := range n {
			all = append(all, place{place: i})
		}
		return all
	}
	for _, name := range slices.Sorted(slices.Values(zones)) {
		all = append(all, place{name: name, place: int(name[len(name)-1] - 'a')})
	}
	return all
}

func (p place) zone() string {
	if p.name != "" {
		return p.name
	}
	return *awscdk.Fn_Select(jsii.Number(p.place), awscdk.Fn_GetAzs(nil))
}

// sixteenth is one of the sixteen equal parts of p, from 0.
func sixteenth(p netip.Prefix, i int) string {
	first := binary.BigEndian.Uint32(p.Addr().AsSlice())
	bits := p.Bits() + 4
	var addr [4]byte
	binary.BigEndian.PutUint32(addr[:], first+uint32(i)<<(32-bits))
	return netip.PrefixFrom(netip.AddrFrom4(addr), bits).String()
}
